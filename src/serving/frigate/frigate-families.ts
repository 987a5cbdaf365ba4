import { DETECTION_FAMILIES } from '../../runtime/io/detect/detection-families.ts'
import type { DetectionFamily } from '../../runtime/io/detect/detection-family.ts'
import { yoloRows } from '../../runtime/io/detect/yolo.ts'

/** Families of detectors by Frigate's names. */
export const FRIGATE_FAMILIES = {
  yologeneric: yoloRows,
  yolox: DETECTION_FAMILIES.yolox,
  yolonas: DETECTION_FAMILIES.yolonas,
  rfdetr: DETECTION_FAMILIES.rfdetr,
  dfine: DETECTION_FAMILIES.dfine,
  ssd: DETECTION_FAMILIES.ssd
} as const satisfies Record<string, DetectionFamily>

export type FrigateFamily = keyof typeof FRIGATE_FAMILIES
