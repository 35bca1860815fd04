"""OpenStack Swift with its S3 API, of the test's own: an S3 storage that checks signatures.

Debian's packages, four servers and the memcached that tempauth insists on, one replica, one device in
a temporary folder, which must be on a file system with extended attributes (ext4, xfs, btrfs; tmpfs
from Linux 6.6)."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from support.server import wait_until

ACCESS_KEY = "test:tester"
SECRET_KEY = "testing"
REGION = "us-east-1"
PROXY = f"""
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:%(cache_port)s
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = {REGION}
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {SECRET_KEY} .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""
STORE = """
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def why_not():
    """What is missing to run it, or None."""
    for program in ("swift-proxy-server", "swift-object-server", "swift-ring-builder", "memcached"):
        if not shutil.which(program):
            return f"{program} is not installed"
    with tempfile.NamedTemporaryFile() as file:
        try:
            os.setxattr(file.name, "user.swift.metadata", b"x")
        except OSError as error:
            return f"the temporary folder has no extended attributes: {error}"
    return None


class Swift:
    """Running after the constructor; close() stops and deletes it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vf-swift-"))
        kinds = ("proxy", "account", "container", "object")
        *ports, self.cache_port = free_ports(5)
        self.ports = dict(zip(kinds, ports))
        (self.folder / "devices" / "d1").mkdir(parents=True)
        (self.folder / "swift.conf").write_text(
            "[swift-hash]\nswift_hash_path_suffix = test\nswift_hash_path_prefix = test\n"
            "[storage-policy:0]\nname = one\ndefault = yes\n")
        for kind in kinds:
            self._configure(kind)
        self.processes = {}
        self.start()

    def _configure(self, kind):
        user = subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip()
        (self.folder / f"{kind}.conf").write_text(
            f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {self.ports[kind]}\nworkers = 0\n"
            f"user = {user}\nswift_dir = {self.folder}\ndevices = {self.folder}/devices\n"
            "mount_check = false\nlog_address = /dev/null\nlog_level = WARNING\n"
            f"cache_port = {self.cache_port}\n"
            + (PROXY if kind == "proxy" else STORE.format(kind=kind)))
        if kind == "proxy":
            return
        builder = str(self.folder / f"{kind}.builder")
        device = f"r1z1-127.0.0.1:{self.ports[kind]}/d1"
        for words in (["create", "4", "1", "0"], ["add", device, "1"], ["rebalance"]):
            subprocess.run(["swift-ring-builder", builder, *words], check=True, capture_output=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.ports['proxy']}"

    def start(self):
        self.log = open(self.folder / "log", "ab")
        for kind in self.ports:
            self.processes[kind] = subprocess.Popen(
                [f"swift-{kind}-server", str(self.folder / f"{kind}.conf"), "-v"],
                stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.processes["cache"] = subprocess.Popen(
            ["memcached", "-l", "127.0.0.1", "-p", str(self.cache_port), "-u", "nobody", "-m", "16"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        for kind, port in {**self.ports, "cache": self.cache_port}.items():
            wait_until(lambda port=port: self._listens(port), 60, f"Swift's {kind} server")

    @staticmethod
    def _listens(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def stop(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGKILL)
        for process in self.processes.values():
            process.wait()
        self.log.close()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self, secret=SECRET_KEY):
        """boto3, the second opinion."""
        import boto3
        from botocore.config import Config
        return boto3.client(
            "s3", endpoint_url=self.url, region_name=REGION, aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=secret,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1},
                          request_checksum_calculation="when_required",
                          response_checksum_validation="when_required"))

    def settings(self, bucket, **more):
        """Of a server that keeps its blobs here."""
        return {"BLOB_BACKEND": "s3", "BLOB_S3_ENDPOINT": self.url, "BLOB_S3_REGION": REGION,
                "BLOB_S3_BUCKET": bucket, "BLOB_S3_ACCESS_KEY": ACCESS_KEY,
                "BLOB_S3_SECRET_KEY": SECRET_KEY, "BLOB_SWEEP_INTERVAL": "200ms",
                "BLOB_S3_TIMEOUT": "10s", **more}
