#!/usr/bin/env bash
# Finds a Docker engine with Compose, or makes one.
#
# 1. An engine that answers is used as it is: nothing is installed, no root is needed.
# 2. Else, as root on Debian or Ubuntu, the distribution's packages are installed and the daemon is started.
# 3. Else two lines say what is missing and how to get it (exit 1).
#
# Inspect needs Engine 24.0.6 and Compose 2.21; Debian 12 ships older ones, so there the packages come from Debian 13,
# at a priority that touches nothing else. The mirror's address is read from the machine's own apt sources.
set -euo pipefail

compose_floor=2.24 # read-only binds
log=/var/log/dockerd.log

answers() { docker info >/dev/null 2>&1; }

compose_ok() {
  local have
  have=$(docker compose version --short 2>/dev/null) || return 1
  [ "$(printf '%s\n' "$compose_floor" "${have#v}" | sort -V | head -n 1)" = "$compose_floor" ]
}

say() { printf 'engine: %s\n' "$*" >&2; }

missing() {
  say "$1"
  say "install Docker Engine 24.0.6 or newer with Compose $compose_floor or newer, start it, and let this user reach it (see your distribution's documentation)"
  exit 1
}

install_packages() {
  . /etc/os-release
  export DEBIAN_FRONTEND=noninteractive
  local packages="docker.io docker-cli docker-compose docker-buildx iptables"
  local from=""
  case "${ID:-}" in
    ubuntu) packages="docker.io docker-compose-v2 docker-buildx iptables" ;;
    debian) ;;
    *) missing "no Docker engine answers, and ${PRETTY_NAME:-this system} is not Debian or Ubuntu" ;;
  esac
  say "installing $packages (log: /var/log/apt/term.log)"
  apt-get update -qq >/dev/null
  if [ "$ID" = debian ] && [ "${VERSION_ID:-99}" -lt 13 ]; then
    add_debian_13
    from=/trixie
    apt-get update -qq >/dev/null
  fi
  # The engine's packages must not start a daemon half way through: this script starts it.
  local policy=/usr/sbin/policy-rc.d made_policy=""
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && made_policy=1
  fi
  local chosen=()
  for package in $packages; do
    case $package in docker*) chosen+=("$package$from") ;; *) chosen+=("$package") ;; esac
  done
  apt-get install -qq -y --no-install-recommends "${chosen[@]}" >/dev/null || {
    [ -n "$made_policy" ] && rm -f $policy
    missing "apt-get could not install ${chosen[*]}"
  }
  [ -n "$made_policy" ] && rm -f $policy
  hash -r
}

add_debian_13() {
  local mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(LABEL)' 'Created-By: Packages' |
    awk -v codename="$VERSION_CODENAME" '$2 == codename && $3 == "Debian" { print $1; exit }')
  [ -n "$mirror" ] || missing "no Debian mirror stands in this machine's apt sources"
  cat >/etc/apt/sources.list.d/afagent-trixie.sources <<SOURCES
Types: deb
URIs: $mirror
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
  cat >/etc/apt/preferences.d/afagent-trixie <<PIN
Package: *
Pin: release n=trixie
Pin-Priority: 100
PIN
}

start() {
  if [ -d /run/systemd/system ]; then
    systemctl start docker
  else
    # A daemon that was killed leaves its pid file behind, and a new one refuses to start over it.
    pgrep -x dockerd >/dev/null || rm -f /var/run/docker.pid
    setsid nohup dockerd >>"$log" 2>&1 </dev/null &
  fi
  for _ in $(seq 150); do
    answers && return 0
    sleep 0.2
  done
  missing "dockerd was started but does not answer (its log: $log)"
}

command -v docker >/dev/null 2>&1 && answers && compose_ok && exit 0

if command -v docker >/dev/null 2>&1 && answers; then
  [ "$(id -u)" = 0 ] || missing "a Docker engine answers, but Compose $compose_floor or newer is not there"
  install_packages
  compose_ok || missing "Compose $compose_floor or newer could not be installed"
  exit 0
fi

[ "$(id -u)" = 0 ] || missing "no Docker engine answers for user $(id -un)"
command -v apt-get >/dev/null 2>&1 || missing "no Docker engine answers, and this is not Debian or Ubuntu"
{ command -v dockerd >/dev/null 2>&1 && compose_ok; } || install_packages
start
compose_ok || missing "the engine answers, but Compose $compose_floor or newer is not there"
say "ready: engine $(docker version --format '{{.Server.Version}}'), compose $(docker compose version --short)"
