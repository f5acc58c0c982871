#!/usr/bin/env bash
# Renders the plain manifests from the chart, and prints them. For clusters without Helm: what `kubectl apply -f` takes.
#
#   render.sh HELM >deploy/kubernetes/manifests/otel-tcpretrans.yaml      (or: make manifests)
set -Eeuo pipefail
export LC_ALL=C

chart=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/chart
helm=${1:?usage: render.sh HELM}

cat <<'HEAD'
# otel-tcpretrans on each node, without Helm. Rendered from ../chart by `make manifests`: change the chart, not this file.
#
# Before you apply it, set the image (there is no published one), and where the backend listens (OTLP_ENDPOINT's default in the ConfigMap).
# After a change of the ConfigMap alone: kubectl -n otel-tcpretrans rollout restart daemonset otel-tcpretrans
HEAD
# What says that Helm manages the objects would be wrong, and so is left out; so are the names of the chart's files.
"$helm" template otel-tcpretrans "$chart" --namespace otel-tcpretrans \
    --set image.repository=registry.example.com/otel-tcpretrans,namespace.create=true |
    grep -vE '^ +(helm\.sh/chart|app\.kubernetes\.io/managed-by|checksum/config): |^ +# A changed configuration makes new pods\.$|^# Source: '
