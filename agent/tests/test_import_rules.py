"""Modules that each Python process imports at run time; pyproject.toml has the rules for
sources.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from cowherd_agent.places import PACKAGE_FOLDER

AGENT = Path(PACKAGE_FOLDER).parent

KEEPER_MAY_IMPORT = ("cowherd_agent", "cowherd_agent.keeper", "cowherd_agent.wire")


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
    loaded = modules_after("import cowherd_agent.keeper.keeper", "-S")
    own = {name for name in loaded if name.startswith("cowherd_agent")}
    assert "cowherd_agent.keeper.adoption_socket" in own
    packages = {name if name in KEEPER_MAY_IMPORT else name.rpartition(".")[0] for name in own}
    assert packages <= set(KEEPER_MAY_IMPORT)
    libraries = {name.partition(".")[0] for name in loaded} - {"cowherd_agent", "__main__"}
    assert libraries <= sys.stdlib_module_names


def test_the_policies_work_without_gunicorn() -> None:
    folder = AGENT / "cowherd_agent"
    free = ("heap", "policies", "interpreter", "collection", "leaving", "fork_safety", "clients")
    names = [
        f"{each}.{path.stem}"
        for each in free
        for path in (folder / each).glob("*.py")
        if path.stem != "__init__"
    ]
    assert "heap.immortality" in names
    imports = "\n".join(f"import cowherd_agent.{name}" for name in ["prepare", "merging", *names])
    assert "gunicorn" not in modules_after(imports)


def test_a_mold_starts_without_gunicorn_to_say_that_it_is_missing() -> None:
    loaded = modules_after("import cowherd_agent.mold.mold")
    assert "cowherd_agent.mold.mold" in loaded
    assert "gunicorn" not in loaded
