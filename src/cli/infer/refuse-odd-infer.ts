import { UserError } from '../../core/user-error.ts'
import type { InferFlags } from '../infer-command.ts'

/** What is asked: the server of a URL, the cluster for a model of that name, or for one that is brought along. */
export type InferTarget = 'url' | 'name' | 'file'

type Given = readonly [flag: string, isGiven: boolean]

/** Flags that mean nothing for what is asked. @throws UserError with the flag and what it is of */
export const refuseOddInfer = (target: InferTarget, flags: InferFlags): void => {
  const given = (...all: readonly Given[]): string[] => all.filter(([, is]) => is).map(([flag]) => flag)
  const ofFiles = given(
    ['--provider', flags.provider !== 'cpu'],
    ['--provider-options', flags.providerOptions !== undefined],
    ['--shape', flags.shape.length > 0]
  )
  const ofClusters = given(
    ['--join', flags.join.length > 0],
    ['--join-file', flags.joinFile.length > 0],
    ['--cluster-key', flags.clusterKey !== undefined],
    ['--state', flags.state !== undefined]
  )
  const refuse = (flag: string | undefined, because: string): void => {
    if (flag !== undefined) throw new UserError(`${flag} ${because}`)
  }
  if (target !== 'file') refuse(ofFiles[0], 'is of an .onnx file that is brought along: leave it out, or give the file')
  if (target === 'url') refuse(ofClusters[0], 'is of a cluster, and a URL names a server: keep one')
  else refuse(flags.tokenFile && '--token-file', 'is of the server of a URL: leave it out, or give the URL')
  if (flags.provider === 'cpu')
    refuse(
      flags.providerOptions && '--provider-options',
      'is of another provider than cpu: add --provider auto, or its name'
    )
}
