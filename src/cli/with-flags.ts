import type { ErrorFacts, TributaryError } from '../core/user-error.ts'

/** With these an error begins where it is about what was given for them: `sink results.jsonl: is a folder`; two may follow. */
const OPTION =
  /^(?=(?:sink|source|state|io|preset|shape|times|work|sequence|costs|out|emulate-link)[ :])|(?<=: )(?=(?:preset|io) )/g

type Words = (message: string, facts: ErrorFacts) => string

/** Rooms that other programs use too know no flags: here is which one mends what they say. */
const WORDS: Readonly<Record<string, Words>> = {
  portInUse: (message, { address, isDoor }) =>
    isDoor === true
      ? message
      : address !== undefined
        ? `${message} (--listen HOST:PORT)`
        : `${message}: give this one a port of its own with --port N, or let it take the next free one with --any-port`,
  noFreePort: message => `--any-port: ${message}; choose another with --port N`,
  cannotListen: (message, { isDoor, endpoint }) =>
    isDoor === true || endpoint !== undefined ? message : `${message} (--listen HOST:PORT)`,
  keyMissing: (_, { address }) =>
    `--join ${address} needs the cluster's key: use an invite (tributary invite prints one on a device that may admit), or --cluster-key FILE`,
  keyLost: message => `${message} (--join - asks for the invite, --state names the folder)`,
  invitesDiffer: message => `--join: ${message}`,
  removed: message => `--state ${message}`,
  notLetIn: message =>
    message.replace(
      /(?:ask for another|it needs a new invite)$/,
      '$& (tributary invite prints one on a device that may admit)'
    ),
  otherName: (message, { name }) =>
    `${message}: start it with --name ${name}, or with another invite and another --state`,
  otherCluster: message => `${message} (--state names the folder)`,
  stateRefused: message => `--state ${message}`,
  badModelsFolder: message => message.replace(/^the folder of models/, '--serve-models'),
  badShape: message => message.replace(/(?<![-\w])shape (?=\S+=)/g, '--shape '),
  noSuchInput: (message, { input }) => `--shape ${input}: ${message}`,
  costsUnusable: (message, { file }) => `${message} with: tributary profile MODEL --out ${file}`,
  otherMachine: message => `${message}: tributary profile MODEL --out OTHER-FILE`,
  costsMissing: (message, { costs, model, shapes, maxBlocks }) => {
    const shape = (shapes as readonly string[]).map(given => ` --shape ${given}`).join('')
    return `${message} with: tributary profile ${model}${shape} --blocks ${maxBlocks} --out ${costs}`
  },
  stateInUse: (message, { name }) => `--name ${name}: its state ${message}`
}

/** An error in one line of the command line: with the flag that mends it, where its own words name none. */
export const withFlags = ({ message, code, facts }: TributaryError): string =>
  (WORDS[code]?.(message, facts) ?? message).replace(OPTION, '--')
