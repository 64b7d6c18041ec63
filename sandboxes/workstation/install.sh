#!/bin/sh
# Installs the tools of an ML engineer's node, and whatever packages are named as arguments.
set -eu
export DEBIAN_FRONTEND=noninteractive

# dpkg keeps manual pages out of slim bases; what a command prints itself is enough, so no man-db.
apt-get update -qq
# shellcheck disable=SC2086  # the arguments are a list
apt-get install -y -qq --no-install-recommends \
  bash bash-completion coreutils findutils grep sed gawk diffutils \
  python3 python3-numpy python3-pip python3-venv \
  curl wget git openssh-client rsync netcat-openbsd socat lftp rclone smbclient tftp-hpa whois \
  openssl gnupg ca-certificates \
  tar gzip bzip2 xz-utils zstd lz4 brotli zip unzip p7zip-full cpio binutils xxd sharutils \
  dnsutils iproute2 iputils-ping \
  procps psmisc lsof jq vim tmux less file tree at cron iptables nftables \
  libnss-extrausers "$@" >/dev/null
apt-get clean

# What the installation leaves behind, and where it was installed from.
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/cache/ldconfig/aux-cache
rm -f /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log /var/log/bootstrap.log
rm -f /etc/apt/sources.list.d/* /etc/apt/sources.list /etc/apt/apt.conf.d/*proxy* /etc/apt/apt.conf.d/docker-*
rm -rf /tmp/* /var/tmp/* /root/.cache /root/.wget-hsts

# Capabilities are dropped and privileges cannot be gained, so a setuid bit does nothing, and a file capability stops its
# program from starting at all (ping works through ping sockets).
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
python3 - <<'PYTHON'
import os, pathlib
for folder in ("/bin", "/usr/bin", "/usr/sbin", "/usr/lib"):
    for path in pathlib.Path(folder).rglob("*"):
        if path.is_file() and not path.is_symlink() and "security.capability" in os.listxattr(path):
            os.removexattr(path, "security.capability")
PYTHON
