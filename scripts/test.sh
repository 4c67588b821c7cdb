#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Install what is missing, build, run every test (as root). The last line says "N passed, N failed".
#   scripts/test.sh [TIER…]      unit lang image host kernel conformance net fault fuzz
set -eu
cd "$(dirname "$0")/.."
scripts/deps.sh build test
exec tests/run "$@"
