"""Talk to `pullfocus web` with the standard library: a photo in, the refocused photo out.

    export PULLFOCUS_TOKEN=$(openssl rand -hex 16)
    pullfocus web --no-open --port 8321 &
    python examples/http_client.py [FOLDER] [PHOTO] [ADDRESS]

Any language that can send a form can do the same; docs/web.md has the calls for curl.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from pullfocus.samples import SAMPLES

ADDRESS = "http://127.0.0.1:8321"
SETTINGS = {"at": [0.83, 0.90], "f_number": 1.4}
TIMEOUT_S = 300


def main(arguments: list[str]) -> None:
    """Write refocused.jpg and depth.png as the server answers them."""
    folder = Path(arguments[0] if arguments else "example-output")
    photo = Path(arguments[1]) if len(arguments) > 1 else SAMPLES[0].path
    address = arguments[2] if len(arguments) > 2 else ADDRESS
    token = os.environ.get("PULLFOCUS_TOKEN")
    if not token:
        sys.exit("Set PULLFOCUS_TOKEN to the token that the server was started with.")
    folder.mkdir(parents=True, exist_ok=True)
    picture = ask(f"{address}/api/refocus", token, photo, {"settings": json.dumps(SETTINGS)})
    (folder / "refocused.jpg").write_bytes(picture)
    depth = ask(f"{address}/api/depth", token, photo, {"format": "png"})
    (folder / "depth.png").write_bytes(depth)
    print(folder / "refocused.jpg", folder / "depth.png")


def ask(url: str, token: str, photo: Path, fields: dict[str, str]) -> bytes:
    """Send a form with a photo; return the answer, or end with the sentence of the server."""
    border = uuid.uuid4().hex
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": f"multipart/form-data; boundary={border}",
    }
    request = Request(url, form(border, photo, fields), headers)
    try:
        with urlopen(request, timeout=TIMEOUT_S) as answer:
            return bytes(answer.read())
    except HTTPError as problem:
        sys.exit(f"{problem.code}: {json.load(problem)['error']['message']}")


def form(border: str, photo: Path, fields: dict[str, str]) -> bytes:
    """Lay out multipart/form-data by hand."""
    part = f'--{border}\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
    out = b""
    for name, value in fields.items():
        out += (part % (name, "")).encode() + value.encode() + b"\r\n"
    out += (part % ("photo", f'; filename="{photo.name}"')).encode() + photo.read_bytes()
    return out + f"\r\n--{border}--\r\n".encode()


if __name__ == "__main__":
    main(sys.argv[1:])
