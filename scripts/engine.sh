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
. "$(dirname "${BASH_SOURCE[0]}")/_apt.sh"

engine_floor=24.0.6
compose_floor=2.24 # read-only binds
log=/var/log/dockerd.log
how="install Docker Engine $engine_floor or newer with Compose $compose_floor or newer, start it, and let this user reach it (see your distribution's documentation)"

# at_least FLOOR VERSION: distribution suffixes (26.1.5+dfsg1) and a leading v do not count.
at_least() {
  local version=${2#v}
  [ "$(printf '%s\n' "$1" "${version%%[+~-]*}" | sort -V | head -n 1)" = "$1" ]
}

# The versions, or nothing. An engine that hangs counts as one that does not answer.
engine_version() { timeout 20 docker version --format '{{.Server.Version}}' 2>/dev/null; }
compose_version() { timeout 20 docker compose version --short 2>/dev/null; }

compose_ok() {
  local have
  have=$(compose_version) && at_least "$compose_floor" "$have"
}

daemon_ok() {
  local have
  have=$(dockerd --version 2>/dev/null | sed -n 's/^Docker version \([^,]*\),.*/\1/p') || return 1
  [ -n "$have" ] && at_least "$engine_floor" "$have"
}

# install PACKAGE...: from the distribution, or from Debian 13 where Debian 12's are too old.
install() {
  command -v apt-get >/dev/null 2>&1 || missing "what the lab needs is not there, and this is not Debian or Ubuntu" "$how"
  say "installing $* (the packages' own log: /var/log/apt/term.log)"
  apt_update
  local chosen=("$@") package
  if [ "$ID" = debian ] && [ "${VERSION_ID:-99}" -lt 13 ]; then
    add_debian_13
    apt_update
    chosen=()
    for package in "$@"; do
      case $package in docker*) chosen+=("$package/trixie") ;; *) chosen+=("$package") ;; esac
    done
  fi
  forbid_daemon_starts
  apt_quiet install -y --no-install-recommends "${chosen[@]}" || missing "apt-get could not install ${chosen[*]}" "$how"
  allow_daemon_starts
  hash -r
}

# The packages must not start a daemon half way through: this script starts it.
policy=/usr/sbin/policy-rc.d
forbid_daemon_starts() {
  [ -e "$policy" ] && return 0
  trap allow_daemon_starts EXIT
  printf '#!/bin/sh\n# made by afagent: engine.sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
}
allow_daemon_starts() {
  if grep -qs 'made by afagent' "$policy"; then rm -f "$policy"; fi
}

add_debian_13() {
  [ "${VERSION_ID:-0}" -ge 12 ] || missing "Debian ${VERSION_ID:-} is too old: its packages cannot be joined with Debian 13's" "$how"
  local mirror
  # The names in $(...) are apt's fields, not the shell's.
  # shellcheck disable=SC2016
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(LABEL)' 'Created-By: Packages' |
    awk -v codename="$VERSION_CODENAME" '$2 == codename && $3 == "Debian" && !found++ { print $1 }')
  [ -n "$mirror" ] || missing "no Debian mirror stands in this machine's apt sources, or it cannot be reached" "$how"
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

# A daemon that was killed leaves pid files behind, and a new one refuses to start over them once their numbers are
# used again by something else.
remove_stale_pid_files() {
  local file name pid
  for file in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do
    [ -e "$file" ] || continue
    case $file in */containerd.pid) name=containerd ;; *) name=dockerd ;; esac
    pid=$(cat "$file")
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$name" ] || rm -f "$file"
  done
}

# The daemon outlives this script and whoever called it: a session of its own, none of the caller's descriptors (a
# pipe that it held open would keep a CI waiting, a lock would never be free), none of make's variables.
start_by_hand() {
  (
    for descriptor in /proc/"$BASHPID"/fd/*; do
      descriptor=${descriptor##*/}
      [ "$descriptor" -le 2 ] || eval "exec $descriptor>&-"
    done
    unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
    umask 022
    cd /
    exec setsid dockerd >>"$log" 2>&1 </dev/null
  ) &
}

start() {
  say "starting the Docker engine"
  if [ -d /run/systemd/system ]; then
    systemctl start docker >>"$log" 2>&1 </dev/null || missing "the engine did not start (see: journalctl -u docker)" "$how"
  else
    remove_stale_pid_files
    start_by_hand
  fi
  local _
  for _ in $(seq 150); do
    [ -z "$(engine_version)" ] || return 0
    sleep 0.2
  done
  missing "dockerd was started but does not answer (its log: $log)" "$how"
}

# The engine that answers is used as it is; only a Compose that is missing or too old may be added to it.
use_it() {
  at_least "$engine_floor" "$1" || missing "the Docker engine that answers is $1, older than $engine_floor" "$how"
  compose_ok && exit 0
  is_root || missing "a Docker engine answers, but Compose $compose_floor or newer is not there" "$how"
  if [ "$ID" = ubuntu ]; then install docker-compose-v2; else install docker-compose; fi
  compose_ok || missing "Compose $compose_floor or newer is installed, but docker does not find it" "$how"
}

make_one() {
  [ -z "${DOCKER_HOST:-}" ] || missing "no Docker engine answers at DOCKER_HOST=$DOCKER_HOST" "$how"
  is_root || missing "no Docker engine answers for user $(id -un 2>/dev/null || id -u)" "$how"
  if ! { daemon_ok && compose_ok; }; then
    case $ID in
      debian) install docker.io docker-cli docker-compose docker-buildx iptables ;;
      ubuntu) install docker.io docker-compose-v2 docker-buildx iptables ;;
      *) missing "no Docker engine answers, and ${PRETTY_NAME:-this system} is not Debian or Ubuntu" "$how" ;;
    esac
  fi
  start
  compose_ok || missing "the engine answers, but Compose $compose_floor or newer is not there" "$how"
  say "ready: engine $(engine_version), compose $(compose_version)"
}

find_or_make() {
  local version
  version=$(engine_version) || version=""
  if [ -n "$version" ]; then use_it "$version"; else make_one; fi
}

ID="" VERSION_ID="" VERSION_CODENAME=""
# shellcheck disable=SC1091
[ ! -r /etc/os-release ] || . /etc/os-release

version=$(engine_version) || version=""
if [ -n "$version" ] && at_least "$engine_floor" "$version" && compose_ok; then exit 0; fi
one_at_a_time find_or_make
