// Properties that no pattern names are ignored, and the most specific pattern that matches wins. So a special case is
// one more action: neither the general one nor those who act on it change.
import { lucilius } from 'lucilius'

const app = lucilius()

app.add('role:shipping,cmd:cost', ({ kg }) => ({ cost: 2 * Number(kg) }))
console.log(await app.act('role:shipping,cmd:cost,kg:3,colour:red'))

app.add('role:shipping,cmd:cost,express:true', ({ kg }) => ({ cost: 5 * Number(kg) }))
console.log(await app.act('role:shipping,cmd:cost,kg:3'))
console.log(await app.act('role:shipping,cmd:cost,kg:3,express:true'))

// A star stands for any text. An exact value is more specific than one with a star.
app.add('role:shipping,cmd:cost,to:isle-*', () => ({ cost: 40 }))
app.add('role:shipping,cmd:cost,to:isle-away', () => ({ cost: 90 }))
console.log(await app.act('role:shipping,cmd:cost,kg:3,to:isle-near'))
console.log(await app.act('role:shipping,cmd:cost,kg:3,to:isle-away'))

// Four patterns match here, two with three keys. Which one wins does not depend on who came first; ask why.
const { winner, candidates } = app.explain('role:shipping,cmd:cost,kg:3,express:true,to:isle-away')
console.log(winner?.pattern)
for (const { reason } of candidates) if (reason !== undefined) console.log(reason)

await app.close()

// prints:
// { cost: 6 }
// { cost: 6 }
// { cost: 15 }
// { cost: 40 }
// { cost: 90 }
// cmd:cost,express:true,role:shipping
// "cmd:cost,role:shipping,to:isle-away" loses to "cmd:cost,express:true,role:shipping": its key "role" sorts after "express".
// "cmd:cost,role:shipping,to:isle-*" loses to "cmd:cost,express:true,role:shipping": it has fewer exact values, 2 against 3.
// "cmd:cost,role:shipping" loses to "cmd:cost,express:true,role:shipping": it has fewer keys, 2 against 3.
