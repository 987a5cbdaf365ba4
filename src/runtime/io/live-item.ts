import type { Tensor } from '../../core/tensor.ts'
import type { Item } from '../ports/data-port.ts'
import type { FilePath } from './file-path.ts'
import type { Frame } from './image-to-tensor.ts'

/** An item that came by itself, with what it is made of: kept until its outcome is known, since it may have to be sent out again. */
export interface LiveItem extends Item {
  readonly content: LiveContent
}

export type LiveContent =
  /** An encoded image: JPEG, PNG ... */
  | { readonly kind: 'image'; readonly bytes: Uint8Array }
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'tensors'; readonly tensors: readonly Tensor[] }
  | { readonly kind: 'file'; readonly path: FilePath }
  /** What came is no item, and why. */
  | { readonly kind: 'none'; readonly because: string }
