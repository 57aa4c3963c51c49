/**
 * The story of the bundled sample: an evening among invented people of a town that does not exist. Everything that the views of
 * docs/views.md show happens in it: threads, likes of posts that are there, follows both ways, lists, changed profiles, deleted posts,
 * an account with a new name, one that goes for a while, one that goes, and one that is deleted.
 */

/**
 * @param {ReturnType<import("./sample-cast.mjs").castOf>} cast
 * @param {{ deleteAccount: (did: string) => Promise<void> }} admin
 */
export async function tellStory({ join }, { deleteAccount }) {
  // Each line of people who do the same thing.
  const like = async (post, ...people) => {
    const likes = [];
    for (const person of people) likes.push(await person.like(post));
    return likes;
  };
  const repost = async (post, ...people) => {
    for (const person of people) await person.repost(post);
  };
  const followEachOther = async (one, ...others) => {
    for (const other of others) {
      await one.follow(other);
      await other.follow(one);
    }
  };

  const mira = await join("mira", {
    displayName: "Mira",
    description: "I look after the community garden at the river.",
    avatar: "4f9d5b",
    banner: "cfe8c8",
  });
  const library = await join("river-library", {
    displayName: "River Library",
    description: "Books, readings, and a warm room. Open until eight.",
    avatar: "2c5f8a",
  });
  await followEachOther(mira, library);
  const tomatoes = await mira.post("The first tomatoes of the year are red. Come and taste one! #garden", {
    embed: await mira.images(
      { alt: "Three red tomatoes on a wooden table", color: "c0392b" },
      { alt: "The same table, seen from above", color: "8e5b3a", width: 30, height: 40 },
    ),
  });
  await like(tomatoes, library);

  const tobias = await join("tobias", {
    displayName: "Tobias",
    description: "Bäcker. Ich stehe um drei auf.",
    avatar: "d9a441",
  });
  await followEachOther(tobias, mira);
  await tobias.follow(library);
  const bread = await tobias.post("Heute gibt es Roggenbrot mit Kümmel. Solange es reicht. #brot", {
    langs: ["de"],
    embed: await tobias.images({ alt: "Ein rundes Brot mit dunkler Kruste", color: "6e4a24" }),
  });
  await like(tomatoes, tobias);
  await like(bread, mira);
  const saveOne = await mira.reply(bread, "Can you save one for me? I bring tomatoes.");
  const agreed = await tobias.reply(saveOne, "It is a deal. I am here until six.");
  await like(agreed, mira);
  await like(saveOne, tobias);

  const yuki = await join("yuki", {
    displayName: "ゆき",
    description: "写真を撮ります。Photos of quiet places.",
    avatar: "7a6fb0",
    banner: "e6e0f5",
  });
  await followEachOther(yuki, mira, library);
  const river = await yuki.post("今朝の川です。霧がきれいでした。🌫️", {
    langs: ["ja"],
    embed: await yuki.images(
      { alt: "川の上の白い霧", color: "b8c6cf", width: 60, height: 40 },
      { alt: "霧の中の小さな橋", color: "8fa3ad", width: 60, height: 40 },
      { alt: "水面に映る木", color: "5c7480", width: 40, height: 60 },
    ),
  });
  await like(river, mira, library, tobias);
  await repost(river, mira, library);
  const bridge = await mira.reply(river, "I cross this bridge every day, and I never saw it like this.");
  const early = await yuki.reply(bridge, "It is there at six in the morning, for ten minutes.", { langs: ["en"] });
  await like(bridge, yuki);
  await like(early, mira, library);

  const lucia = await join("lucia", {
    displayName: "Lucía",
    description: "Trenes, horarios y café. Trains, timetables and coffee.",
    avatar: "b03a5b",
  });
  await followEachOther(lucia, yuki, mira);
  await lucia.follow(tobias);
  const train = await lucia.post(
    "The night train is back: https://trains.example.com/night. Who comes along? #trains",
    {
      langs: ["en", "es"],
      embed: await lucia.link(
        "https://trains.example.com/night",
        "The night train runs again",
        "Every Friday at 22:10, with bicycles.",
        "1f2a44",
      ),
    },
  );
  await like(train, yuki, mira, tobias);
  await repost(train, yuki);

  const evening = await library.post("Reading on Friday at seven: stories from the river. Bring your own. #reading", {
    embed: await library.link(
      "https://library.example.org/friday",
      "An evening of stories",
      "Free of charge. There is tea.",
    ),
  });
  await like(evening, mira, yuki, tobias, lucia);
  await repost(evening, mira, tobias, yuki);
  const thread = [
    await tobias.reply(evening, "I bring bread. How many people?"),
    await yuki.reply(evening, "写真を見せてもいいですか？", { langs: ["ja"] }),
    await lucia.reply(evening, "I can tell of the night when the train stopped in the snow."),
  ];
  const answer = await library.reply(thread[0], "About twenty, @tobias.test. Thank you!");
  await library.reply(thread[1], "Yes, please! We have a projector, @yuki.test.");
  await like(answer, tobias, mira);
  await like(thread[0], library);
  await like(thread[1], library, mira);
  await like(thread[2], library, yuki, mira);

  const samir = await join("samir", {
    displayName: "سمير",
    description: "معلّم رياضيات. I teach mathematics.",
    avatar: "3b7d7a",
  });
  await followEachOther(samir, library, mira);
  await samir.follow(lucia);
  const riddle = await samir.post("سؤال اليوم: كم عدد الأقطار في مضلّع له عشرة أضلاع؟ 🤔", { langs: ["ar"] });
  await like(riddle, library, mira);
  const guess = await mira.reply(riddle, "My guess is 35. I drew it in the sand.");
  const right = await samir.reply(guess, "صحيح! n(n−3)/2. Drawing it is the best way.", { langs: ["ar", "en"] });
  await like(guess, samir, library);
  await like(right, mira);

  // An account that only sells. Some block it; later it is deleted.
  const deals = await join("greatdeals", { displayName: "GREAT DEALS", description: "Only today!" });
  for (const person of [mira, tobias]) await deals.follow(person);
  await deals.post("CHEAP watches, ONLY TODAY: https://deals.example.net/watches");
  await deals.reply(evening, "CHEAP watches for all readers: https://deals.example.net/watches");
  await mira.block(deals);
  const sellers = await library.list(
    "Sellers",
    "modlist",
    "Accounts that only sell. Block the whole list if you like.",
  );
  await library.listItem(sellers, deals);
  await mira.listBlock(sellers);
  await yuki.listBlock(sellers);

  const kind = await join("kind-labels", {
    displayName: "Kind Labels",
    description: "Labels for posts, set with care. Write to us if one is wrong.",
  });
  await kind.labeler(["spam", "spoiler", "food"]);
  await kind.follow(library);
  const labels = await kind.post("We label spoilers, sellers, and pictures of bread that make you hungry.");
  await like(labels, tobias, library);
  await like(evening, kind);

  const ines = await join("ines", {
    displayName: "Inês",
    description: "Toco acordeão na rua do porto.",
    avatar: "e07b39",
  });
  await followEachOther(ines, lucia, library, samir);
  await ines.follow(yuki);
  const song = await ines.post("Uma canção nova, ainda sem nome. 🎶 #música", {
    langs: ["pt"],
    embed: await ines.video("Inês plays the accordion at the harbour, gulls in the background"),
  });
  await like(song, lucia, samir, library, yuki, mira);
  await repost(song, lucia, samir);
  const named = await lucia.reply(song, "Llámala «La última barca».", { langs: ["es"] });
  const thanks = await ines.reply(named, "Perfeito. Fica assim!", { langs: ["pt"] });
  await like(named, ines, samir);
  await like(thanks, lucia);

  // Quotes: of a post alone, and of a post beside a picture.
  const quoting = await tobias.post("This is why I never sleep long.", { embed: tobias.quote(river) });
  const beside = await yuki.post("The same place at noon, for those who sleep. @tobias.test", {
    embed: yuki.quoteWith(quoting, await yuki.images({ alt: "The bridge in full sun, no fog", color: "f2d16b" })),
  });
  await like(quoting, yuki, mira, ines);
  await like(beside, tobias, mira, library);
  await repost(beside, tobias);
  const come = await samir.post("Everybody is welcome on Friday. I will be there with my class.", {
    embed: samir.quote(evening),
  });
  await like(come, library, ines, mira);

  // Lists, a feed, a starter pack, verifications.
  const locals = await library.list("People of the river", "curatelist", "Those who write about the town.");
  await library.listItems(locals, [mira, tobias, yuki, lucia, samir, ines]);
  const feed = await library.feed("river", "At the river", "Posts of the people of the river, newest first.");
  await library.starterPack("New in town?", "Follow these, and you know what is going on.", locals, [feed]);
  await library.verify(mira, "mira.test", "Mira");
  await library.verify(tobias, "tobias.test", "Tobias");
  const bakers = await tobias.list("Bakers", "curatelist", "Other people who get up at three.");
  await tobias.listItem(bakers, mira);
  await like(feed, mira, yuki);

  // A long thread, with branches.
  const books = await library.post("What do you read at the moment? One sentence is enough. #books");
  const novel = await samir.reply(books, "رواية عن بحّار لا يحب البحر.", { langs: ["ar"] });
  const poems = await ines.reply(books, "Poemas, em voz alta, no barco.", { langs: ["pt"] });
  const cookbook = await tobias.reply(books, "A cookbook without pictures. It is better that way.");
  const atlas = await lucia.reply(books, "An atlas of railways that nobody built: https://atlas.example.org/unbuilt");
  const sailor = await mira.reply(novel, "Why does he stay at sea?");
  const afraid = await samir.reply(sailor, "Because he is afraid of the harbour. No more, it would be a #spoiler.");
  const pictures = await yuki.reply(cookbook, "Without pictures? 😮 I can help with that.");
  const slice = await tobias.reply(pictures, "Bring the camera on Friday, and you get the first slice.");
  const ours = await mira.reply(atlas, "Is our valley in it?");
  const pass = await lucia.reply(ours, "Page 88: a line over the pass, with a stop at the garden gate!");
  await like(books, mira, tobias, yuki, lucia, samir, ines);
  await like(novel, library, mira);
  await like(poems, library, lucia);
  await like(cookbook, yuki, library);
  await like(atlas, mira, yuki, samir);
  await like(sailor, samir);
  await like(ours, lucia);
  await like(afraid, mira, kind);
  await like(pictures, tobias, mira);
  await like(slice, yuki);
  await like(pass, mira, library, yuki, samir, tobias);
  await repost(pass, mira, library);
  await repost(books, samir, lucia);
  await followEachOther(tobias, yuki);

  // Somebody writes, changes the profile, and goes.
  const ben = await join("ben", { displayName: "Ben", description: "Just looking around." });
  await followEachOther(ben, mira);
  const hello = await ben.post("Hello! Is anybody there?");
  await like(hello, mira);
  await mira.reply(hello, "Yes! Welcome, @ben.test. See you on Friday?");
  await ben.like(tomatoes);

  // Threads with a rule, and a post that nobody may quote.
  const question = await mira.post("Which tree shall we plant at the gate? Only people I follow may answer. #garden");
  await mira.threadgate(question, [{ $type: "app.bsky.feed.threadgate#followingRule" }]);
  const pear = await library.reply(question, "A pear tree. In ten years there will be shade for readers.");
  const cherry = await tobias.reply(question, "Kirsche! Wegen der Kuchen.", { langs: ["de"] });
  const plum = await yuki.reply(question, "Plum, 梅. It blooms when nothing else does.", { langs: ["en", "ja"] });
  await like(pear, mira, samir, ines, lucia);
  await like(cherry, mira, lucia);
  await like(plum, mira, library, tobias, ines);
  const decided = await mira.reply(plum, "A plum it is, then. Digging on Saturday at ten.");
  await like(decided, yuki, library, tobias);
  const notice = await library.post("The garden gate is closed on Saturday until noon: a tree moves in.");
  await library.postgate(notice);
  await like(notice, mira, tobias);

  // Second thoughts: posts and likes that are deleted.
  const typo = await tobias.post("Morgen kein Brod.", { langs: ["de"] });
  await like(typo, mira);
  await tobias.remove(typo);
  const correct = await tobias.post("Morgen kein Brot. Ich schlafe aus. 😴", { langs: ["de"] });
  await like(correct, mira, yuki, library, lucia);
  const wrongPlace = await lucia.reply(notice, "Is there a train in the garden?");
  await lucia.remove(wrongPlace);
  const [hasty] = await like(train, samir, ines);
  await samir.remove(hasty);
  const following = await tobias.follow(lucia);
  await tobias.remove(following);

  // Changed profiles, with a pinned post; a changed record; a new name.
  await mira.profile({
    displayName: "Mira 🌱",
    description: "Community garden at the river. We plant a plum tree on Saturday.",
    avatar: "4f9d5b",
    banner: "cfe8c8",
    pinnedPost: { uri: decided.uri, cid: decided.cid },
  });
  await tobias.profile({
    displayName: "Tobias (schläft)",
    description: "Bäcker. Ab Montag wieder um drei.",
    avatar: "d9a441",
  });
  await library.threadgate(evening, [{ $type: "app.bsky.feed.threadgate#listRule", list: locals.uri }]);
  await ines.rename("ines-accordion");
  await ines.profile({
    displayName: "Inês, acordeão",
    description: "«La última barca» às sextas, na rua do porto.",
    avatar: "e07b39",
  });
  const renamed = await ines.post("New name, same accordion. I play on Friday, @river-library.test asked me.");
  await like(renamed, library, lucia, samir, mira);
  await repost(renamed, library);

  // One goes for a while and returns; one goes; one is deleted by the host.
  await lucia.deactivate();
  await lucia.activate();
  const back = await lucia.post("Back from the mountains. No signal, much snow. 🚂❄️");
  await like(back, yuki, ines, mira, tobias);
  const snow = await ines.reply(back, "Conta na sexta!", { langs: ["pt"] });
  await like(snow, lucia);
  await ben.profile({ displayName: "Ben", description: "Gone fishing." });
  await ben.deactivate();
  await deleteAccount(deals.did);

  const last = await library.post(
    "Twenty chairs, one projector, bread, tea, an accordion. See you on Friday. #reading",
  );
  await like(last, mira, tobias, yuki, lucia, samir, ines, kind);
  await repost(last, mira, samir, ines);
  const all = [mira, tobias, yuki, lucia, samir, ines];
  return { people: [...all, library, kind], gone: ben, deleted: deals };
}
