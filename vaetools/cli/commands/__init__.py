"""The subcommands of ``vaetools``, a file each: what is put here is one."""
