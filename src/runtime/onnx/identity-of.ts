import { readOnnxFile } from '../../model/files/read-onnx-file.ts'

/** What a manifest has as `sha256`: of a file, and of the files that it keeps its weights in. @throws UserError when it is no model */
export const identityOf = async (file: string): Promise<string> => (await readOnnxFile(file)).identity
