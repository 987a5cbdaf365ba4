/** The 80 classes of COCO, in the order of detectors that count only these. */
const COCO80 =
  'person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush'.split(
    ','
  )

/** Numbers of COCO's first 90 that no class has. */
const UNUSED = [12, 26, 29, 30, 45, 66, 68, 69, 71, 83]

/** By COCO's own number less one; '' where it has no class. */
const coco90 = (): string[] => {
  const labels = COCO80.values()
  return Array.from({ length: 90 }, (_, i) => (UNUSED.includes(i + 1) ? '' : labels.next().value!))
}

/** Labels that need no file. A model that tells apart another number of classes has none of them. */
export const BUILT_IN_LABELS: Readonly<Record<string, () => readonly string[]>> = { coco80: () => COCO80, coco90 }

export const isBuiltIn = (labels: string | undefined): boolean =>
  labels !== undefined && Object.hasOwn(BUILT_IN_LABELS, labels)
