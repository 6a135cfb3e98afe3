"""The commands of `cmdb`, a module a topic; each imports what it needs when it is called."""
