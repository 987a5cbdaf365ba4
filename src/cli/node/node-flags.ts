/** The flags of `tributary node` as commander hands them over. */
export interface NodeFlags {
  readonly name?: string
  readonly listen: string[]
  readonly port?: string
  readonly anyPort?: boolean
  readonly join: string[]
  readonly joinFile: string[]
  readonly printInvite?: boolean
  readonly clusterKey?: string
  readonly mdns: boolean
  readonly memory?: string
  readonly speed?: string
  readonly speedIsReal?: boolean | string
  readonly threads: string
  readonly model: string[]
  readonly shape: string[]
  readonly blocks: string[]
  readonly cutAt: string[]
  readonly work: string[]
  readonly times: string[]
  readonly pinned: string[]
  readonly source: string[]
  readonly preset?: string
  readonly io?: string
  readonly sink: string[]
  readonly policy: string
  readonly activationEncoding: string
  readonly keepModels: string
  readonly state?: string
  readonly emulateLink: string[]
  readonly startWhen: string
  readonly seed: string
  readonly exitWhenDone?: boolean
  readonly exitWithParent?: boolean
  readonly controlled?: boolean
  readonly trace?: string
  readonly metrics?: string
  readonly logFormat: string
  readonly logFile?: string
  readonly logSize?: string
  readonly logKeep?: string
  readonly jsonEvents?: boolean
  readonly json?: boolean
}
