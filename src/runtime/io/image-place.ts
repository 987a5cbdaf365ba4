import type { Box } from './detect/detection.ts'

export interface Size {
  readonly width: number
  readonly height: number
}

/** Where an image goes: first to `scaled`, then `cut` out of that, then into a canvas of `canvas` at `left`, `top`. */
export interface Fitting {
  readonly scaled: Size
  readonly cut: Size
  readonly canvas: Size
  readonly left: number
  readonly top: number
}

/** How an item's image became the model's input. */
export interface ImagePlace {
  /** As people see it, turned as its EXIF data says. */
  readonly image: Size
  readonly fitting: Fitting
}

/** What is cut off on the left or above. */
export const half = (n: number): number => Math.floor(n / 2)

/** A box in pixels of the model's input, in pixels of the item's image; what is outside of that is cut off. */
export const inImage = ([left, top, right, bottom]: Box, { image, fitting }: ImagePlace): Box => {
  const { scaled, cut } = fitting
  const x = (at: number): number => {
    const inScaled = at - fitting.left + half(scaled.width - cut.width)
    return Math.min(image.width, Math.max(0, (inScaled * image.width) / scaled.width))
  }
  const y = (at: number): number => {
    const inScaled = at - fitting.top + half(scaled.height - cut.height)
    return Math.min(image.height, Math.max(0, (inScaled * image.height) / scaled.height))
  }
  return [x(left), y(top), x(right), y(bottom)]
}
