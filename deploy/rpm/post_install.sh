# The first argument is 1 at an installation and 2 at an upgrade. As RPMs do, it leaves to the presets of the
# distribution whether the service is enabled, and does not start it.
if [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload || :
fi
if [ "$1" -eq 1 ] && [ -x /usr/bin/systemctl ]; then
	systemctl --no-reload preset otel-tcpretrans.service || :
fi
