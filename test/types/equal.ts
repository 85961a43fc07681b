/** Whether two types are the same, `any` and `readonly` told apart. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Type-checks only if both types are the same. */
export declare function equal<A, B>(same: Equal<A, B>): void
