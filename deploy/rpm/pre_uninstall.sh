# The first argument is 0 at a removal and 1 at an upgrade.
if [ "$1" -eq 0 ] && [ -x /usr/bin/systemctl ]; then
	systemctl --no-reload disable otel-tcpretrans.service || :
	if [ -d /run/systemd/system ]; then
		systemctl stop otel-tcpretrans.service || :
	fi
fi
