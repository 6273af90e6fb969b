#!/bin/sh
# The one list of system packages the tests need; installed where we may, else named.
set -eu

PACKAGES="chromium poppler-utils fonts-noto-cjk fonts-hanazono default-jre-headless libjaxb-java openssl softhsm2"

missing=""
for package in $PACKAGES; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -q >/dev/null
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
    exit 0
fi
echo "The tests need these system packages; install them first:$missing" >&2
exit 1
