"""No address of an image is ever fetched or opened: over 60 ways to write one, and a server that nobody visits."""

import asyncio
import socket
import threading

import pytest

from serve_world import KEY, Saying, Served

CANARY = """http://127.0.0.1:{p}/ https://127.0.0.1:{p}/ http://localhost:{p}/a.png HTTP://127.0.0.1:{p}/ http://127.1:{p}/
http://2130706433:{p}/ http://0x7f000001:{p}/ http://0x7f.0.0.1:{p}/ http://0177.0.0.1:{p}/ http://017700000001:{p}/
http://127.0.0.1.:{p}/ http://127.000.000.001:{p}/ http://0:{p}/ http://0.0.0.0:{p}/ http://[::1]:{p}/ http://[::]:{p}/
http://[::ffff:127.0.0.1]:{p}/ http://[::ffff:7f00:1]:{p}/ http://[0:0:0:0:0:ffff:127.0.0.1]:{p}/ http://[fe80::1%25lo]:{p}/
http://user:pw@127.0.0.1:{p}/ http://allowed.example@127.0.0.1:{p}/ http://127.0.0.1:{p}#@allowed.example/
http://127.0.0.1:{p}?allowed.example http://allowed.example\\@127.0.0.1:{p}/ http://127.0.0.1:{p}/redir?to=http://10.0.0.1/
http://localtest.me:{p}/ http://127.0.0.1.nip.io:{p}/ http://rebind.example:{p}/ http://①②⑦.⓪.⓪.①:{p}/ http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{p}/
//127.0.0.1:{p}/ ///127.0.0.1:{p}/ http:127.0.0.1:{p}/ http:/127.0.0.1:{p}/ http:\\\\127.0.0.1:{p}\\ \thttp://127.0.0.1:{p}/
 http://127.0.0.1:{p}/ http://127.0.0.1:{p}/%0d%0aX:1 ftp://127.0.0.1:{p}/a ftps://127.0.0.1:{p}/a sftp://127.0.0.1:{p}/a
gopher://127.0.0.1:{p}/_GET dict://127.0.0.1:{p}/d ldap://127.0.0.1:{p}/ tftp://127.0.0.1:{p}/a ws://127.0.0.1:{p}/
jar:http://127.0.0.1:{p}!/a netdoc:///etc/passwd blob:http://127.0.0.1:{p}/1 view-source:http://127.0.0.1:{p}/
http://169.254.169.254/latest/meta-data/ http://metadata.google.internal/ http://[fd00:ec2::254]/ file:///etc/passwd
file://localhost/etc/passwd FILE:///etc/passwd file:/etc/passwd /etc/passwd ../../etc/passwd ~/.ssh/id_rsa
/proc/self/environ C:\\Windows\\win.ini \\\\127.0.0.1\\share\\a.png javascript:alert(1) about:blank s3://bucket/a.png gs://bucket/a.png
data:text/html;base64,PGI+ data:text/plain,http://127.0.0.1:{p}/ data:,x data:image/png,abc data:image/png;base64
data:image/svg+xml,<svg/onload=x> data:image/png;charset=utf8;base64,AA== data:application/dicom;base64,AA==
image-1 cid:1"""


@pytest.fixture(scope="module")
def canary():
    """A server on loopback that counts its visitors."""
    hits = []
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(64)

        def count():
            while True:
                try:
                    connection, _ = sock.accept()
                except OSError:
                    return
                hits.append(1)
                connection.close()

        threading.Thread(target=count, daemon=True).start()
        yield sock.getsockname()[1], hits
        sock.shutdown(socket.SHUT_RDWR)


def test_no_address_is_fetched(canary):
    port, hits = canary
    addresses = [each.replace("{p}", str(port)) for line in CANARY.split("\n") for each in line.split(" ") if each]
    addresses += [
        f"\n http://127.0.0.1:{port}/", f"data:image/svg+xml;base64,{'PHN2Zy8+'}", "", "data:image/png;base64,",
    ]  # fmt: skip
    assert len(addresses) >= 80
    served = Served(Saying())

    async def ask():
        async with served.client() as client:
            statuses = []
            for address in addresses:
                part = {"type": "image_url", "image_url": {"url": address}}
                body = {"model": "toy", "messages": [{"role": "user", "content": [part]}]}
                reply = await client.post("/v1/chat/completions", json=body, headers={"authorization": f"Bearer {KEY}"})
                assert address.strip() == "" or address not in reply.text
                statuses.append(reply.status_code)
            return statuses

    statuses = asyncio.run(ask())
    assert [a for a, status in zip(addresses, statuses, strict=True) if not 400 <= status < 500] == []
    assert (hits, served.engine.asked) == ([], [])
    with socket.create_connection(("127.0.0.1", port)) as visit:
        assert visit.recv(1) == b""
    assert hits == [1]  # the canary does count
