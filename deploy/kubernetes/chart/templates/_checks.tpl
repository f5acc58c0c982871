{{/* What the schema can't say: values that contradict each other. */}}
{{- define "otel-tcpretrans.checks" -}}
{{- $config := .Values.config -}}
{{- if and (not $config.create) (not $config.name) -}}
{{- fail "config.name: name the existing ConfigMap, since config.create is false" -}}
{{- end -}}
{{- if and .Values.openshift.scc.create (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- fail "openshift.scc.create: would give the SCC to the service account `default`; name one in serviceAccount.name" -}}
{{- end -}}
{{- if $config.create -}}
{{- $content := $config.content -}}
{{- $extensions := default dict $content.extensions -}}
{{- $service := default dict $content.service -}}
{{- range $id, $settings := $content.processors -}}
{{- if and (has (first (splitList "/" $id)) (list "k8s_attributes" "k8sattributes")) (kindIs "bool" (default dict $settings).peers) -}}
{{- fail (printf "config.content.processors.%s.peers: write \"off\" in quotes; without them YAML reads it as false" $id) -}}
{{- end -}}
{{- end -}}
{{- if .Values.probes.enabled -}}
{{- $health := default dict $extensions.health_check -}}
{{- if or (not (hasKey $extensions "health_check")) (not (has "health_check" (default list $service.extensions))) -}}
{{- fail "probes.enabled: config.content needs the extension health_check, in extensions and in service.extensions; or set probes.enabled to false" -}}
{{- end -}}
{{- if not (hasSuffix (printf ":%v" .Values.ports.health) (toString $health.endpoint)) -}}
{{- fail (printf "ports.health is %v, but config.content.extensions.health_check.endpoint is %v" .Values.ports.health $health.endpoint) -}}
{{- end -}}
{{- if or (hasPrefix "127." (toString $health.endpoint)) (hasPrefix "localhost:" (toString $health.endpoint)) -}}
{{- fail (printf "config.content.extensions.health_check.endpoint is %s, which the kubelet does not reach; use ${env:POD_IP}" $health.endpoint) -}}
{{- end -}}
{{- end -}}
{{- $prometheus := (default dict (default dict $service.telemetry).metrics).prometheus -}}
{{- if and (kindIs "string" $prometheus) (not (hasSuffix (printf ":%v" .Values.ports.metrics) $prometheus)) -}}
{{- fail (printf "ports.metrics is %v, but config.content.service.telemetry.metrics.prometheus is %s" .Values.ports.metrics $prometheus) -}}
{{- end -}}
{{- if or .Values.podMonitor.enabled .Values.serviceMonitor.enabled -}}
{{- if or (not $prometheus) (hasPrefix "127." (toString $prometheus)) (hasPrefix "localhost:" (toString $prometheus)) -}}
{{- fail "podMonitor and serviceMonitor: config.content.service.telemetry.metrics.prometheus is on loopback, where Prometheus does not reach it; use ${env:POD_IP}" -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.storage.type "none") (not .Values.extraVolumeMounts) -}}
{{- range $service.extensions -}}
{{- if eq (first (splitList "/" .)) "file_storage" -}}
{{- fail (printf "config.content uses %s, but the container has no folder to write to: set storage.type to emptyDir or hostPath" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $timeout := default "30s" $service.shutdown_timeout -}}
{{- if regexMatch "^[0-9]+s$" $timeout -}}
{{- if le (int .Values.terminationGracePeriodSeconds) (int (trimSuffix "s" $timeout)) -}}
{{- fail (printf "terminationGracePeriodSeconds (%v) must be longer than config.content.service.shutdown_timeout (%s), or the drain is cut off" .Values.terminationGracePeriodSeconds $timeout) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
