"""What each Python process may import, as ARCHITECTURE.md says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from cowherd_agent.places import PACKAGE_FOLDER

AGENT = Path(PACKAGE_FOLDER).parent

KEEPER_NEEDS = {"cowherd_agent"} | {
    f"cowherd_agent.{name}"
    for name in (
        "allowance",
        "background",
        "borrowing",
        "descriptor_limit",
        "door",
        "drain",
        "herd_members",
        "inherited",
        "keeper",
        "lending",
        "listen_queue",
        "listeners",
        "message_rules",
        "messages",
        "mold_process",
        "packets",
        "scoreboard",
        "turn_away",
    )
}


def modules_after(program: str, *options: str) -> set[str]:
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            *options,
            "-c",
            f"""
import json, sys
sys.path.append({str(AGENT)!r})
{program}
print(json.dumps(list(sys.modules)))
""",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_keeper_imports_little_and_nothing_but_the_standard_library() -> None:
    loaded = modules_after("import cowherd_agent.keeper", "-S")
    assert {name for name in loaded if name.startswith("cowherd_agent")} == KEEPER_NEEDS
    packages = {name.partition(".")[0] for name in loaded} - {"cowherd_agent", "__main__"}
    assert packages <= sys.stdlib_module_names


def test_the_policies_work_without_gunicorn() -> None:
    names = [path.stem for path in (AGENT / "cowherd_agent" / "heap").glob("*.py")]
    assert "immortality" in names
    imports = "\n".join(
        f"import cowherd_agent.{name}"
        for name in [
            "prepare",
            "census",
            "fork_safety",
            "merging",
            *(f"heap.{name}" for name in names if name != "__init__"),
        ]
    )
    assert "gunicorn" not in modules_after(imports)


def test_a_mold_starts_without_gunicorn_to_say_that_it_is_missing() -> None:
    loaded = modules_after("import cowherd_agent.mold")
    assert "cowherd_agent.mold" in loaded
    assert "gunicorn" not in loaded
