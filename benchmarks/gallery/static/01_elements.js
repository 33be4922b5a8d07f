// Making and finding elements. Whatever comes from a results file goes in as text, never as markup.

const byId = (id) => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "text") element.textContent = value;
    else if (name === "click") element.addEventListener("click", value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

// A long name, such as that of a task or a folder: its lines end after an underscore or a slash, not within a word.
function breakable(name) {
  const fragment = document.createDocumentFragment();
  name.split(/(?<=[_/])/).forEach((part, index) => fragment.append(...(index ? [make("wbr")] : []), part));
  return fragment;
}

function fillSelect(select, choices, chosen) {
  select.replaceChildren(...choices.map(([value, words]) => make("option", { value, text: words })));
  select.value = choices.some(([value]) => value === chosen) ? chosen : choices[0][0];
}

function plural(count, one, many) {
  return `${count} ${count === 1 ? one : many}`;
}
