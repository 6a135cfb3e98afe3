"""Estates that the tests of the command line declare."""

from __future__ import annotations

SHOP = """
cis:
  - {class: service, name: shop, sla: gold}
  - {class: server, name: web1, label: D010210-009, serial: CZ3A, mac: [00:1b:21:0a:0b:0c], address: 10.0.0.1}
  - {class: server, name: web2}
  - {class: network_switch, name: core, gateway: true}
  - {class: power_unit, name: ups}
relations:
  - {type: depends_on, from: shop, to: web1}
  - {type: depends_on, from: shop, to: web2}
  - {type: connects_to, from: web1, to: core, from_port: eth0, to_port: Gi1/0/1}
  - {type: connects_to, from: web2, to: core, from_port: eth0, to_port: Gi1/0/2}
  - {type: powered_by, from: web1, to: ups, feed: A}
groups:
  - {of: shop, name: web, needs: 1, full: 2, legs: [web1, web2]}
rooms:
  - label: D010210
    door: south
    grid:
      - "..#"
      - "..."
"""
