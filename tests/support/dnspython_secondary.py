"""One step of a secondary made of dnspython: fetches what is new of a zone into a file.

Arguments: address, port, zone, file, source address, "udp" or "tcp". The first time the
whole zone is fetched; later the differences from the serial in the file. Prints the serial.
"""
import os
import sys

import dns.query
import dns.zone

address, port, name, path, source, transport = sys.argv[1:]
try:
    zone = dns.zone.from_file(path, origin=name, relativize=False, check_origin=False)
except FileNotFoundError:
    zone = dns.zone.Zone(name, relativize=False)

mode = dns.query.UDPMode.TRY_FIRST if transport == "udp" else dns.query.UDPMode.NEVER
dns.query.inbound_xfr(
    address, zone, port=int(port), timeout=5, lifetime=20, source=source, udp_mode=mode
)
zone.to_file(path + ".new", relativize=False)
os.replace(path + ".new", path)
print(zone.get_soa().serial)
