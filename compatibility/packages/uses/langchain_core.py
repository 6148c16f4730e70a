"""Chains made at import, of functions and prompts."""

from langchain_core.output_parsers import JsonOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel

prompt = ChatPromptTemplate.from_messages([("system", "herd"), ("user", "number {number}")])
chain = prompt | RunnableLambda(lambda value: '{"text": "' + value.to_messages()[1].content + '"}')
chain = chain | JsonOutputParser()
several = RunnableParallel(a=RunnableLambda(lambda n: n + 1), b=RunnableLambda(lambda n: n * 2))


def answer(number: int) -> str:
    return (
        f"{chain.invoke({'number': number})} {several.invoke(number)} {several.batch([1, number])}"
    )
