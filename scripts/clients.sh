#!/usr/bin/env bash
# Finds the ordinary clients and packers that the tests use beside Python, or installs Debian's as root. Else two lines say
# what is missing.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/_apt.sh"

# Command and Debian package.
clients=(
  "7z p7zip-full"
  "curl curl"
  "git git"
  "gpg gnupg"
  "openssl openssl"
  "rsync rsync"
  "ssh openssh-client"
  "unzip unzip"
  "wget wget"
  "zip zip"
)

lacking() {
  local each
  for each in "${clients[@]}"; do
    command -v "${each% *}" >/dev/null 2>&1 || printf '%s\n' "${each#* }"
  done
}

install() {
  local packages how
  mapfile -t packages < <(lacking)
  [ "${#packages[@]}" -gt 0 ] || return 0
  how="install what has these packages' commands: ${packages[*]}"
  is_root || missing "the tests need programs that are not there" "$how"
  command -v apt-get >/dev/null 2>&1 || missing "the tests need programs that are not there, and this is not Debian" "$how"
  say "installing ${packages[*]} (the packages' own log: /var/log/apt/term.log)"
  apt_update
  apt_quiet install -y --no-install-recommends "${packages[@]}" || missing "apt-get could not install ${packages[*]}" "$how"
  hash -r
  [ -z "$(lacking)" ] || missing "packages are installed, but a command is still missing" "$how"
}

[ -z "$(lacking)" ] || one_at_a_time install
