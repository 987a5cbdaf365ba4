import { inlineFunctions } from '../inline-functions.ts'
import type { OnnxFile } from '../onnx-file.ts'
import type { OpenModel } from '../open-model.ts'
import { ownDequantizers } from '../own-dequantizers.ts'
import { inlineIfs } from './inline-ifs.ts'
import { takenConstants } from './taken-constants.ts'

/**
 * The model as it is to be cut: it computes the same, and what the runtime does to the whole when it loads it, which a cut
 * would otherwise hinder, has been done.
 * @throws UserError that names the node
 */
export const prepareGraph = async (file: OnnxFile, openModel: OpenModel): Promise<OnnxFile> =>
  ownDequantizers(await inlineIfs(inlineFunctions(await takenConstants(file, openModel)), openModel))
