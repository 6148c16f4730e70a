#!/bin/sh
# Brings CPython 3.14 and 3.15, for scripts/test-interpreters.py, out of Debian's "forky" into .cache/forky (or the
# folder that COWHERD_FORKY names). Nothing is installed on the machine itself, but for debootstrap where it is missing.
# Needs root and apt. Where that is not to be had, it says so and ends well: the tests use what they find.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${COWHERD_FORKY:-$root/.cache/forky}

give_up() {
    echo "get-interpreters: $1; CPython 3.14 and 3.15 are left out"
    exit 0
}

if [ -x "$folder/usr/bin/python3.14" ] && [ -x "$folder/usr/bin/python3.15" ]; then
    echo "get-interpreters: CPython 3.14 and 3.15 are in $folder"
    exit 0
fi
[ "$(uname -s)" = Linux ] || give_up "this is not Linux"
[ "$(id -u)" = 0 ] || give_up "debootstrap needs root"
if ! command -v debootstrap >/dev/null 2>&1; then
    command -v apt-get >/dev/null 2>&1 || give_up "there is neither debootstrap nor apt-get"
    { apt-get update -qq && apt-get install -y -qq debootstrap; } >/dev/null 2>&1 || give_up "debootstrap can't be installed"
fi

# The release is newer than the debootstrap of a stable Debian, which takes an unknown one by the script of "sid".
mkdir -p "$root/.cache" "$(dirname "$folder")" || give_up "$root/.cache can't be written"
script=/usr/share/debootstrap/scripts/forky
[ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
[ -e "$script" ] || give_up "debootstrap has no script for the release"

# The mirror of Debian that this machine's apt uses already.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -n -e 's/^URIs: *\([^ ]*\).*/\1/p' -e 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' |
    grep '/debian/*$' | head -n 1)
[ -n "$mirror" ] || give_up "apt has no mirror of Debian"

rm -rf "$folder.partial"
echo "get-interpreters: CPython 3.14 and 3.15 into $folder (about a minute)"
log=$root/.cache/debootstrap.log
if debootstrap --variant=minbase --include=python3.14,python3.14-venv,python3.15 forky "$folder.partial" \
    "$mirror" "$script" >"$log" 2>&1; then
    rm -rf "$folder" && mv "$folder.partial" "$folder" || give_up "$folder can't be written"
    echo "get-interpreters: done"
else
    rm -rf "$folder.partial"
    tail -n 3 "$log"
    give_up "debootstrap failed ($log)"
fi
