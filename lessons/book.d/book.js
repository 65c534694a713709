// SPDX-License-Identifier: MIT
// book.js - the search, the list of sections on a wide screen, and folds that open on paper.
'use strict';
const input = document.querySelector('#search input'), found = document.querySelector('#found');

// The index is large. It is read when somebody wants to search, and then what is typed is looked up.
function load() {
    if (document.querySelector('#index')) return typeof WORDS !== 'undefined' && search();
    const script = document.createElement('script');
    script.id = 'index';
    script.src = 'index.js';
    script.onload = search;
    document.head.append(script);
}

// The sections with all words; the last one may be unfinished. Words in the title count more.
function search() {
    const words = input.value.toLowerCase().match(/[a-z0-9_]+/g) || [];
    let points = null;
    for (const word of words) {
        const here = new Map();
        for (const key in WORDS)
            if (key === word || (word.length > 2 && key.startsWith(word)))
                for (const n of WORDS[key]) here.set(n, (here.get(n) || 0) + (key === word ? 2 : 1));
        SECTIONS.forEach(([, , title], n) => {
            if (title.toLowerCase().includes(word)) here.set(n, (here.get(n) || 0) + 10);
        });
        points = points === null ? here : new Map([...points].filter(([n]) => here.has(n)).map(([n, p]) => [n, p + here.get(n)]));
    }
    const best = [...points || []].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 20);
    found.replaceChildren(...best.map(([n]) => {
        const item = document.createElement('li'), link = document.createElement('a');
        link.href = SECTIONS[n][0] + (SECTIONS[n][1] && '#' + SECTIONS[n][1]);
        link.textContent = SECTIONS[n][2];
        item.append(link);
        return item;
    }));
    if (words.length && !best.length) found.textContent = 'Nothing found.';
    found.hidden = !words.length;
}

input.addEventListener('focus', load);
input.addEventListener('input', load);
document.querySelector('#search').addEventListener('submit', event => {
    event.preventDefault();
    found.querySelector('a')?.click();
});
document.addEventListener('keydown', event => {
    if (event.key === 'Escape') found.hidden = true;
    if (event.key === '/' && document.activeElement !== input) {
        event.preventDefault();
        input.focus();
    }
});
found.addEventListener('click', () => { found.hidden = true; });

const toc = document.querySelector('.toc');
if (toc && matchMedia('(min-width: 80rem)').matches) toc.open = true;
addEventListener('beforeprint', () => document.querySelectorAll('details').forEach(fold => { fold.open = true; }));
