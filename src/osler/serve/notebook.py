"""Notebook: a small Gradio page for showing a served model, in a notebook or on one's own machine. Extra `demo`.

It is a client of the service over HTTP like any other, and no product: no DICOM, no window and level, no study. Gradio
keeps uploaded files in its cache for up to ten minutes, so show it images that may be seen.

    from osler.serve.notebook import show
    show("http://127.0.0.1:8000/v1", "osler", key="osler_...")
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from osler.core.errors import InputError
from osler.core.files import existing_file
from osler.endpoint.chat import ChatRequest, EndpointError, Picture, user_message
from osler.endpoint.client import Client

if TYPE_CHECKING:
    from collections.abc import Sequence

_STARTS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
_WARNING = "Research use only. Not a medical device. Do not decide about a person by what is written here."
# Named fonts of the system: Gradio's own themes ask a font server.
_FONTS = ("system-ui", "sans-serif")
_MONO = ("ui-monospace", "monospace")
_CACHE_S = 300


def show(url: str, model: str, *, key: str = "", port: int | None = None, is_blocking: bool = False) -> Any:
    """Open the page on this machine only, and return Gradio's object; its `close()` ends it.

    Args:
        url: of the service, such as `http://127.0.0.1:8000/v1`.
        model: its name there.
        key: of the service; it stays in this process and never reaches the browser.
        port: of the page; None takes a free one.
        is_blocking: stay until the process is ended, as a script must.

    Raises:
        InputError: Gradio is not installed, or the service is not there or refuses the key.
    """
    with Client(url, model, key=key) as first:
        first.check()
    page = make_page(Client(url, model, key=key))
    page.launch(
        server_name="127.0.0.1", server_port=port, share=False, quiet=True, prevent_thread_lock=not is_blocking,
        footer_links=[], theme=_theme(),
    )  # fmt: skip
    return page


def make_page(client: Client) -> Any:
    """The page as a `gradio.Blocks`. Raises InputError where Gradio is not installed."""
    gradio = _gradio()
    with gradio.Blocks(title="Osler", analytics_enabled=False, delete_cache=(_CACHE_S, _CACHE_S)) as page:
        gradio.Markdown(f"**{_WARNING}**")
        with gradio.Row():
            images = gradio.File(label="Images (PNG or JPEG), in order", file_count="multiple", type="filepath")
            with gradio.Column():
                question = gradio.Textbox(label="Question", lines=3)
                button = gradio.Button("Ask", variant="primary")
                answer = gradio.Textbox(label="Answer", lines=6)
                with gradio.Accordion("Reasoning", open=False):
                    reasoning = gradio.Textbox(show_label=False, lines=8)

        def on_ask(paths: "Sequence[str] | None", words: str) -> tuple[str, str]:
            try:
                return ask(client, words, [Path(path) for path in paths or ()])
            except (InputError, EndpointError) as error:
                raise gradio.Error(str(error)) from error

        button.click(on_ask, [images, question], [answer, reasoning], api_visibility="private")
    return page


def ask(client: Client, question: str, images: "Sequence[Path]") -> tuple[str, str]:
    """The answer to a question about images, and the reasoning that led to it.

    Raises:
        InputError: no question, or a file that is neither PNG nor JPEG.
        EndpointError: the service does not answer.
    """
    if not question.strip():
        raise InputError("there is no question", fix="Write one.")
    reply = client.complete(ChatRequest((user_message(*map(_picture, images), question),)))
    return reply.text, reply.reasoning


def _picture(path: Path) -> Picture:
    data = existing_file(path).read_bytes()
    for start, media_type in _STARTS.items():
        if data.startswith(start):
            return Picture(data, media_type)
    raise InputError(
        f"{path.name} is neither PNG nor JPEG", fix="The reader page of `osler serve` takes DICOM; this page does not."
    )


def _theme() -> Any:
    return _gradio().themes.Base(font=_FONTS, font_mono=_MONO)


def _gradio() -> Any:
    try:
        import gradio
    except ImportError as error:
        raise InputError(
            "the notebook page needs the package gradio", fix="pip install 'osler[demo]', in an environment of its own."
        ) from error
    return gradio
