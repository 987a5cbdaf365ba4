import { milliseconds, type Seconds } from '../../core/units.ts'

/**
 * Time of one run of the calibration model on the reference: one thread of a server processor (AMD EPYC, two cores) with
 * ONNX Runtime 1.30. A device that takes twice as long has speed 0.5.
 */
export const CALIBRATION_REFERENCE: Seconds = milliseconds(5.3)
