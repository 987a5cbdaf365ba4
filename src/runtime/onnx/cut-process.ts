import { createWriteStream } from 'node:fs'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describeFileError } from '../../core/describe-file-error.ts'
import { systemErrorOf } from '../../core/system-error-of.ts'
import { UserError } from '../../core/user-error.ts'
import { activationsAt, cutsAtTensors, cutsForCluster, untravellingEnds } from '../../model/cut-model.ts'
import { declaredInputs } from '../../model/declared-inputs.ts'
import { studyModel } from '../../model/files/study-model.ts'
import { type WriteBlock, writeBlocks } from '../../model/files/write-blocks.ts'
import { PRIVATE_FILE } from '../state/privacy.ts'
import { batchTrial } from './batch-trial.ts'
import type { CutAnswer, CutFacts, CutRequest } from './cut-answer.ts'
import { openModel } from './open-model.ts'

/** The process: a file in, its blocks on the disk and what they are out. Cutting computes for seconds, so it is done here. */

process.once('disconnect', () => process.exit())
process.once('message', async (request: CutRequest) => {
  process.send!(await answer(request), () => process.disconnect())
})

const answer = async (request: CutRequest): Promise<CutAnswer> => {
  try {
    return { kind: 'cut', facts: await cut(request) }
  } catch (error) {
    const refusal = systemErrorOf(error)
    if (refusal !== undefined)
      return {
        kind: 'refused',
        because: `${refusal.path ?? dirname(request.draft)}: ${describeFileError(refusal)}; make room there`
      }
    const because = error instanceof Error ? error.message : String(error)
    if (!(error instanceof UserError)) return { kind: 'failed', because }
    const { code, facts } = error
    return { kind: 'refused', because, code, facts }
  }
}

const cut = async ({ file, shapes, maxBlocks, cutAt, weights, draft }: CutRequest): Promise<CutFacts> => {
  const read = await studyModel(file, shapes, openModel)
  const chosen = cutAt.length > 0 ? cutsAtTensors(read, cutAt) : { model: read, cuts: cutsForCluster(read, maxBlocks) }
  const { model: studied, cuts } = chosen
  const ends = untravellingEnds(studied)
  if (ends.length > 0)
    throw new UserError(`${file}: "${ends.join('", "')}" is no tensor that can be sent; such a model cannot be served`)
  const fileOf = (index: number): string => `${draft}${index}.onnx`
  const write: WriteBlock = (index, chunks) =>
    pipeline(Readable.from(chunks), createWriteStream(fileOf(index), { mode: PRIVATE_FILE }))
  const blocks = await writeBlocks(studied, cuts, write, batchTrial(studied, cuts, fileOf), weights)
  const activations = activationsAt(studied, cuts)
  const outputs = activations.at(-1)!.tensors.map(tensor => tensor.name)
  const inputs = declaredInputs(studied.analysis.file).map(input => ({ ...input, shape: input.shape ?? [] }))
  return { blocks, activations, inputs, outputs, leftOut: studied.leftOut }
}
