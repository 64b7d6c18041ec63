# ~/.bashrc: read by bash for interactive shells.
case $- in
  *i*) ;;
  *) return ;;
esac

HISTCONTROL=ignoreboth
HISTSIZE=5000
HISTFILESIZE=20000
shopt -s histappend checkwinsize

PS1='\u@\h:\w\$ '
alias ll='ls -alF'
alias dus='du -xhd1 . | sort -h'

if [ -r /usr/share/bash-completion/bash_completion ]; then
  . /usr/share/bash-completion/bash_completion
fi
