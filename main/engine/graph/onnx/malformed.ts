import { HalfstepError } from '../../errors.ts'

/** The error for a file that breaks the rules of ONNX; `cause` completes "… is not a usable ONNX model: ". */
export function malformedOnnx(file: string, cause: string): HalfstepError {
  return new HalfstepError(
    'onnx.malformed',
    `${file} is not a usable ONNX model: ${cause}.`,
    'The file is damaged or was exported wrongly; export it again.',
    { file },
  )
}
