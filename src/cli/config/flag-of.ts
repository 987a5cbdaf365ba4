import type { Option } from 'commander'

/** The name by which a config file has a flag: "mdns" of --no-mdns too. */
export const flagOf = (option: Option): string => option.long!.replace(/^--(?:no-)?/, '')
