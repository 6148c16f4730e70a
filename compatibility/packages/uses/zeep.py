"""A client for a WSDL that is read at import."""

import io

from zeep import Client
from zeep.transports import Transport

WSDL = b"""<?xml version="1.0"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:herd"
  xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"
  targetNamespace="urn:herd">
  <types><xsd:schema targetNamespace="urn:herd" elementFormDefault="qualified">
    <xsd:element name="Ask"><xsd:complexType><xsd:sequence>
      <xsd:element name="number" type="xsd:int"/><xsd:element name="when" type="xsd:date"/>
    </xsd:sequence></xsd:complexType></xsd:element></xsd:schema></types>
  <message name="In"><part name="p" element="t:Ask"/></message>
  <portType name="P"><operation name="Ask"><input message="t:In"/></operation></portType>
  <binding name="B" type="t:P"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="Ask"><soap:operation soapAction="a"/><input><soap:body use="literal"/></input>
    </operation></binding>
  <service name="S"><port name="P" binding="t:B"><soap:address location="http://127.0.0.1:1/"/></port>
  </service></definitions>"""


client = Client(io.BytesIO(WSDL), transport=Transport(timeout=1))


def answer(number: int) -> str:
    from lxml import etree

    message = client.create_message(
        client.service, "Ask", number=number, when=f"2026-01-{number % 28 + 1:02}"
    )
    return etree.tostring(message).decode()
