#!/usr/bin/env bash
# Makes or renews .venv at the top of the checkout: what requirements.lock holds, by hash, and afagent itself, editable.
# Does nothing when pyproject.toml, requirements.lock and the place of the checkout are the ones that it was made from.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/_apt.sh"
cd "$here/.."

stamp=.venv/.made-from

made_from() { { pwd && cat pyproject.toml requirements.lock; } | "$1" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'; }

is_current() {
  [ -x .venv/bin/python ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(made_from .venv/bin/python)" ]
}

# The first Python that is new enough. $PYTHON names another one.
find_python() {
  local name
  for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      printf '%s\n' "$name"
      return 0
    fi
  done
  say "Python 3.11 or newer is needed, and ${PYTHON:-python3} is $("${PYTHON:-python3}" --version 2>/dev/null || echo 'not there')"
  return 1
}

# Debian ships what `python3 -m venv` needs as a package of its own.
find_venv() {
  local python=$1
  "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 && return 0
  if is_root && command -v apt-get >/dev/null 2>&1 && [ "$(command -v "$python")" = /usr/bin/python3 ]; then
    apt_update
    apt_quiet install -y --no-install-recommends python3-venv || true
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 && return 0
  fi
  say "$python cannot make a virtual environment: install its venv module (on Debian and Ubuntu the package python3-venv)"
  return 1
}

renew() {
  is_current && return 0
  local python
  python=$(find_python)
  find_venv "$python"
  # Without a stamp it is new, or was left half made: begin again. With an old one, what is there is brought up to date.
  if [ ! -f "$stamp" ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    say "making .venv (a minute or two)"
    "$python" -m venv --clear .venv
  else
    say "bringing .venv up to date"
  fi
  rm -f "$stamp"
  # -qq: only what fails is said.
  .venv/bin/python -m pip -qq --no-input --disable-pip-version-check install --require-hashes -r requirements.lock
  .venv/bin/python -m pip -qq --no-input --disable-pip-version-check install --no-deps --no-build-isolation -e .
  made_from .venv/bin/python >"$stamp"
}

is_current || one_at_a_time renew
