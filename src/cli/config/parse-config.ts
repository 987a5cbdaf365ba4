import type { Option } from 'commander'
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml'
import { nearest } from '../../core/nearest.ts'
import { UserError } from '../../core/user-error.ts'
import { besideConfig } from './beside-config.ts'
import { ENTRY_FORMS } from './entry-forms.ts'
import { flagOf } from './flag-of.ts'
import type { FlagOrigin } from './flag-origin.ts'

export type FlagValue = boolean | string | readonly string[]

/** What a config file says, by the attributes under which commander keeps flags. */
export interface Config extends FlagOrigin {
  readonly values: ReadonlyMap<string, FlagValue>
}

/** These are of the command line alone. */
const NOT_HERE = ['config', 'print-config', 'help']
const MOST_PROBLEMS = 20
const MOST_ENTRIES = 1000

/**
 * A config file (YAML, so JSON too): its keys are flags without the dashes.
 * @param file for messages, and for paths, which are relative to it
 * @throws UserError with a line for each thing that is wrong: file, line, key and remedy
 */
export const parseConfig = (text: string, file: string, options: readonly Option[]): Config => {
  const reader = new ConfigReader(text, file, options)
  return reader.read()
}

class ConfigReader {
  readonly #file: string
  readonly #options: ReadonlyMap<string, Option>
  readonly #lines = new LineCounter()
  readonly #document: ReturnType<typeof parseDocument>
  readonly #beside: (flag: string, text: string) => string
  readonly #problems: string[] = []
  readonly #places = new Map<string, string>()

  constructor(text: string, file: string, options: readonly Option[]) {
    this.#file = file
    this.#beside = besideConfig(file)
    const known = options.filter(option => option.long && !NOT_HERE.includes(flagOf(option)))
    this.#options = new Map(known.map(option => [flagOf(option), option]))
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false })
  }

  read(): Config {
    const values = new Map<string, FlagValue>()
    for (const { message, pos } of this.#document.errors) this.#problem(pos[0], `not YAML: ${message}`)
    const { contents } = this.#document
    if (this.#problems.length === 0 && contents !== null) {
      if (!isMap(contents)) this.#problem(0, 'must be lines of "flag: value"')
      else for (const pair of contents.items) this.#take(pair as Pair<Node, Node | null>, values)
    }
    this.#refuse()
    const places = this.#places
    return { values, place: (flag, text) => places.get(`${flag}=${text}`) ?? places.get(flag) }
  }

  #take({ key, value }: Pair<Node, Node | null>, values: Map<string, FlagValue>): void {
    const flag = this.#flagNamed(key)
    const at = key.range?.[0] ?? 0
    if (flag === undefined) return
    const option = this.#options.get(flag)!
    const name = option.attributeName()
    if (values.has(name)) this.#problem(at, `${flag} stands here twice; keep one`)
    this.#places.set(flag, this.#placeOf(at))
    const said = this.#valueOf(flag, option, this.#resolved(value), at)
    if (said !== undefined) values.set(name, said)
  }

  /** A list may be called by more than one ("sources"). */
  #flagNamed(key: Node): string | undefined {
    const word = isScalar(key) ? String(key.value) : ''
    const one = word.replace(/s$/, '')
    if (this.#options.has(word)) return word
    if (isList(this.#options.get(one))) return one
    const at = key.range?.[0] ?? 0
    const known = [...this.#options.keys()]
    const near = nearest(word.replace(/^--/, ''), known)
    if (NOT_HERE.includes(word)) this.#problem(at, `"${word}" is for the command line; leave it out here`)
    else if (near === undefined)
      this.#problem(at, `unknown key "${word}" (known: the flags of tributary node, as --help tells them)`)
    else this.#problem(at, `unknown key "${word}", did you mean "${near}"?`)
    return undefined
  }

  #valueOf(flag: string, option: Option, value: Node | null, at: number): FlagValue | undefined {
    const said = isScalar(value) ? value.value : undefined
    if (option.isBoolean() || option.negate || option.optional) {
      if (typeof said === 'boolean') return said
      if (!option.optional) return this.#problem(at, `${flag} must be true or false`)
    }
    if (isList(option)) return this.#entries(flag, value, at)
    const word = this.#word(value)
    if (word === undefined) return this.#problem(at, `${flag} must be one value${flagForm(option)}`)
    return this.#noted(flag, word, at)
  }

  #entries(flag: string, value: Node | null, at: number): readonly string[] | undefined {
    if (!isSeq(value)) return this.#entry(flag, value, at)
    if (value.items.length > MOST_ENTRIES)
      return this.#problem(at, `${flag} has ${value.items.length} entries; at most ${MOST_ENTRIES} fit`)
    return value.items.flatMap(item => {
      const node = this.#resolved(item as Node)
      return this.#entry(flag, node, (item as Node).range?.[0] ?? at) ?? []
    })
  }

  #entry(flag: string, node: Node | null, at: number): readonly string[] | undefined {
    const word = this.#word(node)
    if (word !== undefined) return [this.#noted(flag, word, at)]
    if (!isMap(node))
      return this.#problem(
        at,
        `${flag} must be a value, a mapping, or a list of these${flagForm(this.#options.get(flag)!)}`
      )
    const fields = this.#fields(flag, node)
    const form = ENTRY_FORMS[flag]
    if (form === undefined) return [...fields].map(([key, text]) => this.#noted(flag, `${key}=${text}`, at))
    try {
      return [this.#noted(flag, form.word(fields), at)]
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      return this.#problem(at, error.message)
    }
  }

  #fields(flag: string, node: YAMLMap): ReadonlyMap<string, string> {
    const fields = new Map<string, string>()
    const known = ENTRY_FORMS[flag]?.keys
    for (const { key, value } of node.items as Pair<Node, Node | null>[]) {
      const at = key.range?.[0] ?? 0
      const name = isScalar(key) ? String(key.value) : ''
      const near = nearest(name, known ?? [])
      const text = this.#joined(this.#resolved(value))
      if (known !== undefined && !known.includes(name))
        this.#problem(
          at,
          `${flag}: unknown key "${name}"${near === undefined ? '' : `, did you mean "${near}"?`} (known: ${known.join(', ')})`
        )
      else if (text === undefined) this.#problem(at, `${flag}: ${name} must be one value`)
      else fields.set(name, text)
    }
    return fields
  }

  /** Of "ocr: [20ms, 35ms]" what the command line has: commas between. */
  #joined(node: Node | null): string | undefined {
    if (!isSeq(node)) return this.#word(node)
    const words = node.items.map(item => this.#word(this.#resolved(item as Node)))
    return words.every(word => word !== undefined) ? words.join(',') : undefined
  }

  /** As it was written: "007" is a name or a seed, not 7. */
  #word(node: Node | null): string | undefined {
    if (!isScalar(node) || node.value === null || node.value === '') return undefined
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
  }

  /** An alias ("*cam") is what it stands for. */
  #resolved(node: Node | null): Node | null {
    return isAlias(node) ? ((node.resolve(this.#document) as Node | undefined) ?? null) : node
  }

  #noted(flag: string, word: string, at: number): string {
    const text = this.#beside(flag, word)
    this.#places.set(`${flag}=${text}`, this.#placeOf(at))
    return text
  }

  #placeOf(at: number): string {
    return `${this.#file}:${this.#lines.linePos(at).line || 1}`
  }

  #problem(at: number, message: string): undefined {
    this.#problems.push(`${this.#placeOf(at)}: ${message}`)
  }

  #refuse(): void {
    if (this.#problems.length === 0) return
    const left = this.#problems.length - MOST_PROBLEMS
    const more = left > 0 ? [`${this.#file}: ${left} more problems`] : []
    throw new UserError([...this.#problems.slice(0, MOST_PROBLEMS), ...more].join('\n'))
  }
}

const isList = (option: Option | undefined): boolean => Array.isArray(option?.defaultValue)

/** What the flag's help calls its value: ", like <file:name>". */
const flagForm = ({ flags }: Option): string => {
  const form = /[<[].*[>\]]/.exec(flags)?.[0]
  return form === undefined ? '' : `, as --help has it: ${form}`
}
