# The first argument is 0 at a removal and 1 at an upgrade. Queues on disk stay, as RPMs leave data.
if [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload || :
	if [ "$1" -ge 1 ]; then
		systemctl try-restart otel-tcpretrans.service || :
	fi
fi
