#!/usr/bin/env bash
# Sees to it that the image the lab's images are built from is there.
#
# 1. An image of that name is used as it is.
# 2. Else it is pulled, where a registry can be reached.
# 3. Else the same is made from Debian's packages, by mmdebstrap or debootstrap (installed first where this is root on
#    Debian), out of the Debian mirrors that stand in this machine's own apt sources.
#
# Nothing in it names this project: the agent's machine is built on it.
set -euo pipefail
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

suite=bookworm
image=debian:$suite-slim
pull_answers_within=20 # seconds until a registry has named what it will send
pull_ends_within=600   # seconds

# What Debian's own slim images leave out.
leave_out=(/usr/share/doc /usr/share/man /usr/share/info /usr/share/groff /usr/share/linda /usr/share/lintian)

say() { printf 'base image: %s\n' "$*" >&2; }
missing() {
  printf '%s; let the Docker engine reach an image registry, or make an image named %s by hand (mmdebstrap | docker import)\n' \
    "$1" "$image" >&2
  exit 1
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

pull() {
  : >"$scratch/pull"
  timeout "$pull_ends_within" docker pull "$image" >"$scratch/pull" 2>&1 </dev/null &
  local puller=$! waited
  for ((waited = 0; waited < pull_answers_within * 5; waited++)); do
    if grep -q 'Pulling from' "$scratch/pull" || ! kill -0 "$puller" 2>/dev/null; then
      wait "$puller"
      return
    fi
    sleep 0.2
  done
  kill "$puller" 2>/dev/null || true
  return 1
}

# The address of a Debian archive in this machine's apt sources, by its label: Debian, or Debian-Security.
archive() {
  local address
  # The names in $(...) are apt's fields, not the shell's.
  # shellcheck disable=SC2016
  address=$(apt-get indextargets --format '$(REPO_URI) $(LABEL) $(COMPONENT)' 'Created-By: Packages' |
    awk -v label="$1" '$2 == label && $3 == "main" && !found++ { print $1 }')
  case $address in
    # A list of mirrors in a file, which the image would not have: its first one.
    mirror+file:*) address=$(awk '/^[a-z]+:/ { print $1; exit }' "${address#mirror+file:}") ;;
  esac
  case $address in
    http://* | https://*) printf '%s\n' "${address%/}" ;;
  esac
}

# Standard output: the image's apt sources, one line each.
sources() {
  local debian security
  debian=$(archive Debian)
  security=$(archive Debian-Security)
  [ -n "$debian" ] || return 1
  printf 'deb %s %s main\n' "$debian" "$suite" "$debian" "$suite-updates"
  [ -z "$security" ] || printf 'deb %s %s main\n' "$security" "$suite-security"
}

tool() {
  local name
  for name in mmdebstrap debootstrap; do
    if command -v "$name" >/dev/null 2>&1; then
      printf '%s\n' "$name"
      return
    fi
    [ "$(id -u)" = 0 ] || continue
    if DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 install \
      --no-install-recommends "$name" debian-archive-keyring >"$scratch/install" 2>&1 </dev/null; then
      printf '%s\n' "$name"
      return
    fi
  done
  return 1
}

with_mmdebstrap() {
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg path options=()
  [ ! -r "$keyring" ] || options+=("--keyring=$keyring")
  for path in "${leave_out[@]}"; do options+=("--dpkgopt=path-exclude=$path/*"); done
  # An https mirror needs certificates inside, or apt could not reach it while images are built.
  ! grep -q 'https:' "$scratch/sources" || options+=(--include=ca-certificates)
  # The settings get the name that they have in Debian's own images, and what mmdebstrap copies of this machine goes.
  # ($1 is the new system's root: mmdebstrap's argument, not this function's.)
  # shellcheck disable=SC2016
  mmdebstrap --quiet --variant=minbase "${options[@]}" \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --customize-hook='mv "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$1/etc/dpkg/dpkg.cfg.d/docker"' \
    --customize-hook='rm -f "$1/etc/hostname" "$1/etc/resolv.conf"' \
    "$suite" - <"$scratch/sources"
}

with_debootstrap() {
  local root=$scratch/root path include=()
  ! grep -q 'https:' "$scratch/sources" || include=(--include=ca-certificates)
  debootstrap --variant=minbase "${include[@]}" "$suite" "$root" "$(awk 'NR == 1 { print $2 }' "$scratch/sources")" >&2
  cp "$scratch/sources" "$root/etc/apt/sources.list"
  for path in "${leave_out[@]}"; do
    [ ! -d "$root$path" ] || find "$root$path" -mindepth 1 ! -type d ! -name copyright -delete
    printf 'path-exclude=%s/*\n' "$path"
  done >"$root/etc/dpkg/dpkg.cfg.d/docker"
  printf 'path-include=/usr/share/doc/*/copyright\n' >>"$root/etc/dpkg/dpkg.cfg.d/docker"
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/archives/*.deb
  tar --numeric-owner --one-file-system -C "$root" -c .
}

build() {
  command -v apt-get >/dev/null 2>&1 || missing "$image is not there and cannot be pulled, and this is not Debian"
  [ "$(id -u)" != 0 ] || apt-get -qq update >/dev/null 2>&1 || true
  sources >"$scratch/sources" || missing "$image is not there and cannot be pulled, and no Debian mirror stands in this machine's apt sources"
  local made_by
  made_by=$(tool) || missing "$image is not there and cannot be pulled, and neither mmdebstrap nor debootstrap is installed"
  say "making $image with $made_by (about half a minute)"
  # A file and no pipe: a half made system must not become an image.
  "with_$made_by" >"$scratch/image.tar" 2>"$scratch/log" </dev/null || {
    tail -n 5 "$scratch/log" >&2
    missing "$made_by could not make $image"
  }
  docker import --change 'CMD ["bash"]' --change "LABEL base.made-by=$made_by" "$scratch/image.tar" "$image" >/dev/null
}

docker image inspect "$image" >/dev/null 2>&1 || pull || build
