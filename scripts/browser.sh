#!/usr/bin/env bash
# Finds Chromium, which the viewer's test drives, or installs Debian's as root. Else two lines say what is missing.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/_apt.sh"

there() { command -v chromium >/dev/null 2>&1; }

install() {
  there && return 0
  local how="install Chromium so that the command 'chromium' starts it (Debian's package: chromium)"
  is_root || missing "the tests of the log viewer need Chromium, and it is not there" "$how"
  command -v apt-get >/dev/null 2>&1 || missing "the tests of the log viewer need Chromium, and this is not Debian" "$how"
  say "installing chromium (the packages' own log: /var/log/apt/term.log)"
  apt_update
  apt_quiet install -y --no-install-recommends chromium || missing "apt-get could not install chromium" "$how"
  hash -r
  there || missing "the package chromium is installed, but brought no command 'chromium'" "$how"
}

there || one_at_a_time install
