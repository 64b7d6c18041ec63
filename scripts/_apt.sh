# shellcheck shell=bash
# Sourced by the scripts beside it: what they share about saying what is missing and installing Debian packages.

# Root's PATH may lack these (after a plain `su`), and dockerd and apt's helpers live there.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }

# missing WHAT HOW: the two lines a person needs, then the end.
missing() {
  say "$1"
  say "$2"
  exit 1
}

is_root() { [ "$(id -u)" = 0 ]; }

# apt_quiet ARGUMENTS...: apt-get without questions. Silent, unless it fails: then its last lines are shown.
apt_quiet() {
  local log status=0
  log=$(mktemp)
  (
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
    apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@"
  ) >"$log" 2>&1 </dev/null || status=$?
  [ "$status" = 0 ] || tail -n 5 "$log" >&2
  rm -f "$log"
  return "$status"
}

# A source that cannot be fetched is no reason to stop: whether the package can be had shows when it is installed.
apt_update() { apt_quiet update || true; }

# one_at_a_time COMMAND...: lets one run of this script at a time do what two at once would spoil, where flock is there.
# The lock is on the script's own file. A daemon must not inherit it, or would hold it for life (see engine.sh).
one_at_a_time() {
  local lock
  if command -v flock >/dev/null 2>&1; then
    exec {lock}<"$here/$(basename "$0")"
    flock "$lock" || true # some network file systems know no such lock
  fi
  "$@"
}
