{{/*
What the processors k8s_attributes watch, by the place of the role: {"": [pods, nodes]} for the whole cluster, {"shop": [pods]} for a namespace.
The rule is that of crates/kubernetes/src/lib.rs: peers and the attributes asked for decide, and filter.namespace narrows.
*/}}
{{- define "otel-tcpretrans.watched" -}}
{{- $places := dict -}}
{{- if .Values.rbac.resources -}}
{{- $_ := set $places "" .Values.rbac.resources -}}
{{- else if not .Values.config.create -}}
{{- $_ := set $places "" (list "pods" "nodes" "services") -}}
{{- else -}}
{{- range $id, $settings := .Values.config.content.processors -}}
{{- if has (first (splitList "/" $id)) (list "k8s_attributes" "k8sattributes") -}}
{{- $settings = default dict $settings -}}
{{- if eq (default "serviceAccount" $settings.auth_type) "serviceAccount" -}}
{{- $peers := "all" -}}
{{- if hasKey $settings "peers" -}}
{{- $peers = $settings.peers -}}
{{- end -}}
{{- $namespace := default "" (default dict $settings.filter).namespace -}}
{{- $inNamespaces := list "pods" -}}
{{- if eq (toString $peers) "all" -}}
{{- $inNamespaces = append $inNamespaces "services" -}}
{{- $_ := set $places "" (append (default list (get $places "")) "nodes") -}}
{{- end -}}
{{- if has "k8s.cronjob.name" (default list (default dict $settings.extract).metadata) -}}
{{- $inNamespaces = append $inNamespaces "jobs" -}}
{{- end -}}
{{- $_ := set $places $namespace (concat (default list (get $places $namespace)) $inNamespaces) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $places -}}
{{- end -}}

{{/* The rules for a list of such resources. */}}
{{- define "otel-tcpretrans.rules" -}}
{{- $core := list -}}
{{- range list "pods" "nodes" "services" -}}
{{- if has . $ -}}
{{- $core = append $core . -}}
{{- end -}}
{{- end -}}
{{- with $core }}
- apiGroups: [""]
  resources: [{{ join ", " . }}]
  verbs: [list, watch]
{{- end }}
{{- if has "jobs" . }}
- apiGroups: [batch]
  resources: [jobs]
  verbs: [list, watch]
{{- end }}
{{- end -}}
