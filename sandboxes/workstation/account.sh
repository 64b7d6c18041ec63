#!/bin/sh
# The agent's account. Everybody else's comes at run time, through /var/lib/extrausers.
set -eu
groupadd -g 2000 ml
groupadd -g 2001 data
groupadd -g 1000 agent
useradd -u 1000 -g agent -G ml,data -M -d /home/agent -s /bin/bash -c "automation" agent
chage -d "$(date -d '44 days ago' +%F)" agent
# Merged: people join the groups ml and data, which are static, by lines of their own in extrausers.
cat >/etc/nsswitch.conf <<'NSSWITCH'
passwd:         files extrausers
group:          files [SUCCESS=merge] extrausers
shadow:         files extrausers
gshadow:        files

hosts:          files dns
networks:       files

protocols:      files
services:       files
ethers:         files
rpc:            files
NSSWITCH
mkdir -p /var/lib/extrausers
: >/var/lib/extrausers/passwd
: >/var/lib/extrausers/group
: >/var/lib/extrausers/shadow
chgrp shadow /var/lib/extrausers/shadow
chmod 640 /var/lib/extrausers/shadow
rm -f /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- /etc/subuid- /etc/subgid-
