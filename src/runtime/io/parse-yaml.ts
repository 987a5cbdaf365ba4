import { parse } from 'yaml'

// A file of its own, to be loaded when there is YAML to be read: asked for by itself, the package is joined so that its names are
// not found.

/** @throws Error that says what is wrong, in several lines */
export const parseYaml = (text: string): unknown => parse(text)
