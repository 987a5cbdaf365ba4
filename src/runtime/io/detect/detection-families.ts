import type { DetectionFamily } from './detection-family.ts'
import { dfine, rfdetr, yolonas } from './detr.ts'
import { nanodet } from './nanodet.ts'
import { ssd } from './ssd.ts'
import { yolo, yolov5 } from './yolo.ts'
import { yolox } from './yolox.ts'

/** Families of detectors, by the names that people use. */
export const DETECTION_FAMILIES = {
  yolo,
  yolov5,
  yolox,
  yolonas,
  rfdetr,
  dfine,
  ssd,
  nanodet
} as const satisfies Record<string, DetectionFamily>

export type DetectionFamilyName = keyof typeof DETECTION_FAMILIES
