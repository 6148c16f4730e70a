"""A multipart form, read in pieces."""

from python_multipart import FormParser
from python_multipart.multipart import parse_options_header


def answer(number: int) -> str:
    fields: list[tuple[str, str]] = []
    files: list[tuple[str, bytes]] = []

    def on_file(file) -> None:  # type: ignore[no-untyped-def]
        file.file_object.seek(0)
        files.append((file.file_name.decode(), file.file_object.read()))

    parser = FormParser(
        "multipart/form-data",
        lambda field: fields.append((field.field_name.decode(), field.value.decode())),
        on_file,
        boundary=b"xx",
    )
    body = (
        f'--xx\r\nContent-Disposition: form-data; name="n"\r\n\r\n{number}\r\n'
        f'--xx\r\nContent-Disposition: form-data; name="f"; filename="a{number}"\r\n\r\n'
        f"{'x' * number}\r\n"
        "--xx--\r\n"
    ).encode()
    for start in range(0, len(body), 7):
        parser.write(body[start : start + 7])
    parser.finalize()
    return f"{fields} {files} {parse_options_header(f'text/plain; n={number}')}"
