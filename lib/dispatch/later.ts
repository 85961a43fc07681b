/** What a handler of the framework gives when it will settle its call itself: two promises less for each act. */
export const LATER = Symbol('lucilius.later')
