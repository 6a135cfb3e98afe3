"""An estate with something of everything that the API and the pages show."""

from __future__ import annotations

ESTATE = """
cis:
  - {class: building, name: D01}
  - {class: service, name: shop, sla: gold}
  - {class: application, name: shop web}
  - {class: server, name: web1, label: D010210-001, serial: CZ3A, mac: "00:1b:21:0a:0b:01", vendor: HPE,
     memory: 8589934592}
  - {class: server, name: web2, label: D010210-002, vendor: HPE}
  - {class: network_switch, name: core, gateway: true, vendor: Cisco, mac: "00:1b:54:aa:00:01"}
  - {class: network_switch, name: access, vendor: Cisco}
  - {class: power_unit, name: ups1}
  - {class: power_unit, name: ups2}
  - {class: team, name: web team}
relations:
  - {type: depends_on, from: shop, to: shop web}
  - {type: depends_on, from: shop web, to: web1}
  - {type: depends_on, from: shop web, to: web2}
  - {type: connects_to, from: core, to: access, from_port: Te1/1, to_port: Te1/0}
  - {type: connects_to, from: access, to: web1, from_port: Gi1/1, to_port: eth0}
  - {type: connects_to, from: access, to: web2, from_port: Gi1/2, to_port: eth0}
  - {type: powered_by, from: web1, to: ups1, feed: A}
  - {type: powered_by, from: web1, to: ups2, feed: B}
  - {type: located_in, from: web1, to: D010210}
  - {type: located_in, from: web2, to: D010210}
  - {type: owned_by, from: shop, to: web team}
groups:
  - {of: shop web, name: web servers, needs: 1, full: 2, legs: [web1, web2]}
rooms:
  - {label: D010210, grid: ["...", ".#.", "..."], door: south}
"""
